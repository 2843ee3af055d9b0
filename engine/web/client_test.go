package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

// The address of the document is the client id, so that whoever is shown it can look (OAuth Client ID
// Metadata Document §4).
func TestAnybodyMayReadWhatWePublishAboutUs(t *testing.T) {
	h := newHouseAt(t, "https://dowel.example.com")
	resp, err := h.app.Test(httptest.NewRequest(http.MethodGet, "https://dowel.example.com/oauth/client.json", http.NoBody), -1)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct {
		ClientID     string   `json:"client_id"`
		RedirectURIs []string `json:"redirect_uris"`
		Method       string   `json:"token_endpoint_auth_method"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.ClientID != "https://dowel.example.com/oauth/client.json" || len(got.RedirectURIs) != 1 || got.RedirectURIs[0] != "https://dowel.example.com/callback" || got.Method != "none" {
		t.Errorf("it says %+v", got)
	}
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || kind != "application/json" {
		t.Errorf("status %d, type %s", resp.StatusCode, kind)
	}
}
