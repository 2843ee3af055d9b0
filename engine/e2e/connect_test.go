package e2e

import (
	"net/http"
	"testing"
	"time"
)

func TestPressToLiveTokenToRefresh(t *testing.T) {
	i := Start(t)
	id := i.Connect(t, "google", "", "user-1", nil)
	var first, second Token
	i.Get(t, "/api/v1/connections/"+id+"/token", &first)
	if first.AccessToken == "" || first.ExpiresAt == nil || time.Until(*first.ExpiresAt) > 31*time.Second {
		t.Fatalf("token %+v", first)
	}
	i.Get(t, "/api/v1/connections/"+id+"/token?force=true", &second)
	if second.Version != first.Version+1 || second.AccessToken == first.AccessToken {
		t.Errorf("forced: %+v after %+v", second, first)
	}
	if status, b := i.Do(http.MethodDelete, "/api/v1/connections/"+id, nil); status != http.StatusNoContent {
		t.Errorf("delete: %d %s", status, b)
	}
	if status, b := i.Do(http.MethodGet, "/api/v1/connections/"+id+"/token", nil); status != http.StatusNotFound {
		t.Errorf("token after delete: %d %s", status, b)
	}
}
