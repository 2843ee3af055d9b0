package api

import (
	"mime"
	"slices"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/connector"
	"dowel/engine/definition"
	"dowel/engine/fault"
)

// addedView is what came of a definition that was sent.
type addedView struct {
	connector.Version
	// Findings are warnings: a definition with an error is refused.
	Findings []definition.Finding `json:"findings"`
}

type checkedView struct {
	Valid    bool                 `json:"valid"`
	Findings []definition.Finding `json:"findings"`
}

// sentName names the text of a request in findings.
const sentName = "definition"

// connectorAdd keeps a definition as the tenant's own connector. The body is the definition, YAML or
// JSON; publish=false keeps it without making it current, dry_run=true only checks it.
func (h *handler) connectorAdd(c *fiber.Ctx) error {
	source, err := definitionText(c)
	if err != nil {
		return err
	}
	publish, err := flag(c, "publish", true)
	if err != nil {
		return err
	}
	dry, err := flag(c, "dry_run", false)
	if err != nil {
		return err
	}
	ctx, p := c.UserContext(), principal(c)
	if dry {
		k, findings, err := h.Connectors.Check(ctx, p, sentName, source)
		if err != nil {
			return err
		}
		return c.JSON(checkedView{k != nil, listed(findings)})
	}
	v, findings, err := h.Connectors.Add(ctx, p, sentName, source, publish)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(addedView{v, listed(findings)})
}

// definitionTypes are the media types of a definition (RFC 9512 for YAML).
var definitionTypes = []string{"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "application/json", "text/plain", "application/octet-stream"}

func definitionText(c *fiber.Ctx) ([]byte, error) {
	t, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || !slices.Contains(definitionTypes, t) {
		return nil, fiber.NewError(fiber.StatusUnsupportedMediaType, "The body must be the definition, as application/yaml or application/json")
	}
	return slices.Clone(c.Body()), nil
}

func listed(fs []definition.Finding) []definition.Finding {
	if fs == nil {
		return []definition.Finding{}
	}
	return fs
}

// flag reads a query parameter that is true or false.
func flag(c *fiber.Ctx, name string, unset bool) (bool, error) {
	switch c.Query(name) {
	case "":
		return unset, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fault.Field(name, name+" must be true or false")
}

// connectorDefinition returns the text of a connector, of its current version or of the one asked for.
func (h *handler) connectorDefinition(c *fiber.Ctx) error {
	k, err := h.Connectors.Source(c.UserContext(), principal(c), c.Params("id"), c.Query("version"))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/yaml; charset=utf-8")
	c.Set("X-Dowel-Version", k.Version)
	return c.Send(k.Source)
}

// connectorVersions lists the versions of the tenant's own connector.
func (h *handler) connectorVersions(c *fiber.Ctx) error {
	all, err := h.Connectors.Versions(c.UserContext(), principal(c), c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"versions": all})
}

// connectorPublish makes a version current, also an earlier one.
func (h *handler) connectorPublish(c *fiber.Ctx) error {
	var in struct {
		Version string `json:"version"`
	}
	if err := body(c, &in); err != nil {
		return err
	}
	v, err := h.Connectors.Publish(c.UserContext(), principal(c), c.Params("id"), in.Version)
	if err != nil {
		return err
	}
	return c.JSON(v)
}

// connectorWithdraw takes the tenant's own connector out of its catalogue.
func (h *handler) connectorWithdraw(c *fiber.Ctx) error {
	if err := h.Connectors.Withdraw(c.UserContext(), principal(c), c.Params("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
