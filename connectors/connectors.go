// Package connectors holds the definitions that come with Dowel: one file for each provider. Reading
// them is the business of dowel/engine/definition; this package only carries the files.
package connectors

import "embed"

// FS holds the definitions, <id>.yaml each.
//
//go:embed *.yaml
var FS embed.FS
