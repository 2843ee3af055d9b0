package definition

import (
	"bytes"
	"regexp"
)

var idLine = regexp.MustCompile(`(?m)^id: .*$`)

// renamed is a definition under another id.
func renamed(source []byte, id string) []byte {
	return idLine.ReplaceAll(bytes.Clone(source), []byte("id: "+id))
}
