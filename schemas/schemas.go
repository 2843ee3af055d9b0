// Package schemas holds the JSON Schemas of the files that people write, for the checks of
// dowel/engine/definition and for editors. It only carries the files; reading and checking is the
// business of the rooms that use them.
package schemas

import "embed"

// Connector is the name in FS of the schema of connector definitions.
const Connector = "connector.schema.json"

// FS holds the schemas.
//
//go:embed *.schema.json
var FS embed.FS
