package api

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/connection"
	"dowel/engine/connector"
	"dowel/engine/definition"
	"dowel/engine/identity"
)

// schema is what this test reads of one.
type schema struct {
	Type                 any
	Ref                  string `yaml:"$ref"`
	Enum                 []string
	Required             []string
	Properties           map[string]schema
	Items                *schema
	AdditionalProperties *schema `yaml:"additionalProperties"`
	Format               string
}

func components(t *testing.T) map[string]schema {
	t.Helper()
	var d struct {
		Components struct{ Schemas map[string]schema }
	}
	if err := yaml.Unmarshal(description, &d); err != nil {
		t.Fatal(err)
	}
	return d.Components.Schemas
}

func TestTheDescriptionHasTheMembersOfTheTypes(t *testing.T) {
	all := components(t)
	types := map[string]any{
		"Problem": Problem{}, "Connection": connection.View{}, "ConnectionImport": connectionImport{}, "ConnectionChange": connectionChange{},
		"SignRequest": connection.SignRequest{}, "Signed": connection.Signed{}, "ConnectSessionInput": identity.SessionInput{},
		"ConnectTicket": identity.SessionTicket{}, "ConnectSessionStart": sessionStart{}, "ConnectSession": sessionView{}, "Flow": flowView{},
		"Connector": connectorView{}, "Method": methodView{}, "Field": fieldView{}, "ConnectorVersion": connector.Version{},
		"Finding": definition.Finding{}, "App": connection.AppView{}, "AppInput": appInput{}, "AppChange": appChange{},
		"APIKey": identity.APIKeyView{}, "APIKeyInput": apiKeyInput{}, "APIKeyCreated": apiKeyCreated{}, "Event": audit.Event{}, "Tenant": tenantView{},
	}
	for name, v := range types {
		s, ok := all[name]
		if !ok {
			t.Errorf("%s is not described", name)
			continue
		}
		compare(t, all, name, s, reflect.TypeOf(v))
	}
}

// compare holds a schema against a Go type: the same members, of the same types, and those required that
// are always written. What comes in requires nothing by its form: a handler says what is missing.
func compare(t *testing.T, all map[string]schema, at string, s schema, of reflect.Type) {
	t.Helper()
	if s.Ref != "" {
		s = all[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	null := of.Kind() == reflect.Pointer
	if null {
		of = of.Elem()
	}
	types, _ := s.Type.([]any)
	kind, _ := s.Type.(string)
	if len(types) == 2 && types[1] == "null" {
		kind, _ = types[0].(string)
	} else {
		null = false // a pointer that is left out when there is nothing
	}
	want := map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer", reflect.Float64: "number",
		reflect.Slice: "array", reflect.Map: "object", reflect.Struct: "object",
	}[of.Kind()]
	moment := of == reflect.TypeFor[time.Time]()
	if moment {
		want = "string"
	}
	if len(s.Enum) > 0 && want == "string" {
		kind = "string"
	}
	if kind != want || moment != (s.Format == "date-time") || len(types) == 2 && !null {
		t.Errorf("%s is described as %v %s, and is a %v", at, s.Type, s.Format, of)
	}
	switch {
	case moment:
	case of.Kind() == reflect.Slice && s.Items != nil:
		compare(t, all, at+"[]", *s.Items, of.Elem())
	case of.Kind() == reflect.Map && s.AdditionalProperties != nil:
		compare(t, all, at+"{}", *s.AdditionalProperties, of.Elem())
	case of.Kind() == reflect.Struct:
		compareMembers(t, all, at, s, of)
	}
}

func compareMembers(t *testing.T, all map[string]schema, at string, s schema, of reflect.Type) {
	t.Helper()
	var names, required []string
	for _, f := range reflect.VisibleFields(of) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" || name == "-" {
			continue
		}
		names = append(names, name)
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
		if p, ok := s.Properties[name]; ok {
			compare(t, all, at+"."+name, p, f.Type)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(names, slices.Sorted(maps.Keys(s.Properties))); diff != "" {
		t.Errorf("members of %s (-type +described):\n%s", at, diff)
	}
	incoming := len(s.Required) == 0 && len(required) > 0
	slices.Sort(required)
	if diff := cmp.Diff(required, slices.Sorted(slices.Values(s.Required))); diff != "" && !incoming {
		t.Errorf("required of %s (-type +described):\n%s", at, diff)
	}
}

func TestTheDescriptionListsAllThereIs(t *testing.T) {
	all := components(t)
	var problems, scopes []string
	for kind := range forms {
		problems = append(problems, TypePrefix+kind.String())
	}
	for _, a := range access.Actions() {
		scopes = append(scopes, string(a))
	}
	for what, tt := range map[string]struct{ want, got []string }{
		"problem types": {problems, all["Problem"].Properties["type"].Enum},
		"scopes":        {scopes, all["Scope"].Enum},
		"statuses":      {[]string{string(connection.Active), string(connection.NeedsReauth), string(connection.Revoked), string(connection.Disabled)}, all["Status"].Enum},
		"kinds":         {kindsOf(), all["Kind"].Enum},
	} {
		if diff := cmp.Diff(slices.Sorted(slices.Values(tt.want)), slices.Sorted(slices.Values(tt.got))); diff != "" {
			t.Errorf("%s (-there are +described):\n%s", what, diff)
		}
	}
}

func kindsOf() []string {
	var out []string
	for _, k := range []definition.AuthKind{
		definition.AuthorizationCode, definition.DeviceCode, definition.ClientCredentials, definition.JWTBearer, definition.TokenExchange,
		definition.Password, definition.OAuth1, definition.Basic, definition.APIKey, definition.Bearer, definition.NoCredential, definition.Custom,
	} {
		out = append(out, string(k))
	}
	return out
}
