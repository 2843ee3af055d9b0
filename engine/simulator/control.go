package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
)

// control serves _control/ID: GET …/stats reads the statistics; POST sets one fault or a list of them,
// DELETE takes them away; POST …/reset forgets both, POST …/revoke ends every grant.
func (s *Simulator) control(w http.ResponseWriter, r *http.Request, rest string) {
	id, action, _ := strings.Cut(rest, "/")
	if _, err := s.options.Catalog.Current(r.Context(), s.options.Tenant, id); err != nil {
		plain(http.StatusNotFound, "there is no connector "+id).write(w)
		return
	}
	switch r.Method + " " + action {
	case "GET stats":
		jsonAnswer(http.StatusOK, s.Stats(id)).write(w)
		return
	case "POST ":
		faults, err := readFaults(w, r)
		if err != nil {
			plain(http.StatusBadRequest, err.Error()).write(w)
			return
		}
		s.Set(id, faults...)
	case "DELETE ":
		s.Set(id)
	case "POST reset":
		s.Reset(id)
	case "POST revoke":
		s.Revoke(id)
	default:
		plain(http.StatusNotFound, "there is no such control").write(w)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func readFaults(w http.ResponseWriter, r *http.Request) ([]Fault, error) {
	text, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(strings.TrimSpace(string(text)), "[") {
		var list []Fault
		err = json.Unmarshal(text, &list)
		return list, err
	}
	var one Fault
	err = json.Unmarshal(text, &one)
	return []Fault{one}, err
}
