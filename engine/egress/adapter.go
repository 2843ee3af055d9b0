package egress

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// HTTPClient returns s in the shape libraries ask for. It sends as DoOnce does
// and follows no redirect. The error of a failed call is a *url.Error, whose
// text holds the URL with its query: unwrap it before it is logged.
func (s *Scoped) HTTPClient() *http.Client {
	return &http.Client{Transport: roundTripper{s}}
}

type roundTripper struct{ s *Scoped }

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	got, err := r.s.DoOnce(req.Context(), req)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", got.Status, http.StatusText(got.Status)),
		StatusCode:    got.Status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        got.Header,
		Body:          io.NopCloser(bytes.NewReader(got.Body)),
		ContentLength: int64(len(got.Body)),
		Request:       req,
	}, nil
}
