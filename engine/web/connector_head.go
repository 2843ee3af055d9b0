package web

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/definition"
	"dowel/ui"
)

func connectorPath(id string) string { return "/console/connectors/" + url.PathEscape(id) }

// connectorHead is what the pages of one connector share.
func connectorHead(c *fiber.Ctx, k *definition.Connector) ui.ConnectorHead {
	return ui.ConnectorHead{
		Console: noted(c), ID: k.ID, Tile: tile(k), Description: k.Description, Categories: k.Categories, Version: k.Version,
		Kinds: kinds(k), SignsIn: k.SignsIn(), Custom: k.Tenant != "", Deprecated: k.Deprecated, Findings: len(lint(k)),
	}
}

// lint returns what is to be said about a definition that is served: warnings.
func lint(k *definition.Connector) []definition.Finding {
	_, findings := definition.Parse(k.File, k.Source)
	return findings
}
