package simulator

import (
	"slices"
	"strings"

	"dowel/engine/definition"
)

// markOpen and markClose stand around the name of a value while a tree of templates is filled to see what
// it is to look like.
const markOpen, markClose = "\ue000", "\ue001"

func mark(name string) string { return markOpen + name + markClose }

func unmark(s string) string {
	return strings.NewReplacer(markOpen, "${", markClose, "}").Replace(s)
}

// markers is an environment in which every value is its own name.
func (c *call) markers(a *definition.Auth) definition.Env {
	credential := marked("credential", []string{"access_token", "refresh_token", "id_token"})
	credential["tokens"] = map[string]any{}
	for _, s := range a.Login {
		for _, v := range s.Credential {
			credential[v.Name] = mark("credential." + v.Name)
		}
	}
	values, environment := c.markedChoices(a)
	return definition.Env{
		"inputs": marked("inputs", fieldNames(c.connector.Inputs)), "fields": marked("fields", fieldNames(a.Fields)),
		"app": marked("app", append(fieldNames(a.AppFields), "client_id", "client_secret")), "credential": credential,
		"captured": marked("captured", c.connector.CapturedNames(a)), "values": values, "environment": environment,
		"steps": map[string]any{},
	}
}

func marked(group string, names []string) map[string]any {
	m := make(map[string]any, len(names))
	for _, name := range names {
		m[name] = mark(group + "." + name)
	}
	return m
}

func fieldNames(fs definition.Fields) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Name)
	}
	return out
}

// markedChoices are what options stand for.
func (c *call) markedChoices(a *definition.Auth) (values, environment map[string]any) {
	values, environment = map[string]any{}, map[string]any{}
	for _, f := range slices.Concat(c.connector.Inputs, a.Fields) {
		of := map[string]any{}
		for _, o := range f.Options {
			for name := range o.Values {
				of[name] = mark("values." + f.Name + "." + name)
				if f.Name == definition.EnvironmentInput {
					environment[name] = mark("environment." + name)
				}
			}
		}
		values[f.Name] = of
	}
	return values, environment
}
