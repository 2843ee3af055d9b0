package connection

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/engine/storage"
	"dowel/engine/vault"
)

// AppFieldPrefix stands before the name of an app's field in complaints, as it does in the API.
const AppFieldPrefix = "fields."

// clientSecret is what SecretNames call the client secret.
const clientSecret = "client_secret"

// filledApp returns a with what in says, checked against the connector as it is now. Nothing is written.
func (s *Service) filledApp(ctx context.Context, k *definition.Connector, a storage.App, in AppInput) (storage.App, error) {
	if err := in.plausible(); err != nil {
		return a, err
	}
	if in.Name != nil {
		a.Name = *in.Name
	}
	if a.Revision == 0 || in.Issuer != "" {
		if err := wantIssuer(k, a.Auth, in.Issuer); err != nil {
			return a, err
		}
		a.Issuer = in.Issuer
	}
	if in.Scopes != nil {
		a.Scopes = slices.Clone(in.Scopes)
	}
	asksID, asksSecret := k.AppAsks(a.Auth)
	if in.ClientID != nil {
		a.ClientID = strings.TrimSpace(*in.ClientID)
	}
	if a.ClientID == "" && asksID {
		return a, fault.Field("client_id", "the client id is required")
	}
	secrets, err := s.Vault.AppSecrets(ctx, a)
	if err != nil {
		return a, err
	}
	if in.ClientSecret != nil {
		secrets.ClientSecrets = nil
		if v := strings.TrimSpace(*in.ClientSecret); v != "" {
			secrets.ClientSecrets = []string{v}
		}
		if len(secrets.ClientSecrets) > 0 && !asksSecret {
			return a, fault.Field(clientSecret, "an app of "+k.Name+" has no client secret here")
		}
	}
	if in.Fields != nil || a.Revision == 0 {
		if err := answerApp(k, &a, &secrets, in.Fields); err != nil {
			return a, err
		}
	}
	if in.Fields == nil && in.ClientSecret == nil {
		return a, nil
	}
	return a, s.sealApp(ctx, &a, secrets)
}

func (s *Service) sealApp(ctx context.Context, a *storage.App, secrets vault.AppSecrets) error {
	a.Secrets, a.SecretNames = nil, slices.Sorted(maps.Keys(secrets.Fields))
	if len(secrets.ClientSecrets) > 0 {
		a.SecretNames = append([]string{clientSecret}, a.SecretNames...)
	}
	if len(a.SecretNames) == 0 {
		return nil
	}
	var err error
	a.Secrets, err = s.Vault.SealApp(ctx, a.Ref, secrets)
	return err
}

// plausible refuses texts that cannot be what they are given as.
func (in AppInput) plausible() error {
	for name, v := range map[string]*string{"client_id": in.ClientID, clientSecret: in.ClientSecret, "name": in.Name} {
		if v != nil && (len(*v) > 4096 || strings.ContainsFunc(*v, func(c rune) bool { return c < ' ' || c == 0x7f })) {
			return fault.Field(name, "the "+strings.ReplaceAll(name, "_", " ")+" is too long or contains a control character")
		}
	}
	return nil
}

// answerApp lays what is given over what the app's fields are, and checks the whole by the rules that a
// form shows; nil takes one away.
func answerApp(k *definition.Connector, a *storage.App, secrets *vault.AppSecrets, given map[string]*string) error {
	questions := k.AppQuestions(a.Auth)
	answers := map[string]string{}
	for _, f := range questions {
		if v := a.Fields[f.Name] + secrets.Fields[f.Name]; v != "" {
			answers[f.Name] = v
		}
	}
	var bad []*fault.Error
	for name, v := range given {
		switch _, asked := questions.Named(name); {
		case !asked:
			bad = append(bad, fault.Field(name, "an app of "+k.Name+" has no "+name+" here"))
		case v == nil:
			delete(answers, name)
		default:
			answers[name] = *v
		}
	}
	clean, more := questions.Answers(answers)
	if bad = append(bad, more...); len(bad) == 0 {
		a.Fields, secrets.Fields = nil, nil
		for _, f := range questions {
			if v, ok := clean[f.Name]; ok && f.Secret() {
				secrets.Fields = with(secrets.Fields, f.Name, v)
			} else if ok {
				a.Fields = with(a.Fields, f.Name, v)
			}
		}
		bad = unfit(k, a, secrets)
	}
	if len(bad) == 0 {
		return nil
	}
	for _, e := range bad {
		e.Field = AppFieldPrefix + e.Field
	}
	return &flow.InvalidAnswers{Fields: bad}
}

func with(m map[string]string, name, value string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[name] = value
	return m
}

// unfit are complaints about keys that cannot sign what the app's methods have to sign, each field once.
func unfit(k *definition.Connector, a *storage.App, secrets *vault.AppSecrets) []*fault.Error {
	var out []*fault.Error
	for _, m := range k.Auth {
		if a.Auth != "" && m.ID != a.Auth {
			continue
		}
		for _, e := range auth.CheckApp(k, m, secrets.App(*a)) {
			if !slices.ContainsFunc(out, func(o *fault.Error) bool { return o.Field == e.Field }) {
				out = append(out, e)
			}
		}
	}
	return out
}

// errChanged says that somebody else has changed an app meanwhile.
var errChanged = errors.New("the app was changed meanwhile")

// changeApp writes what in says of an app. What is sealed is put together outside of the write, so it is
// done again if the app is another by then.
func (s *Service) changeApp(ctx context.Context, r storage.Ref, in AppInput, change func(*storage.App)) (storage.App, error) {
	for range 5 {
		current, err := s.Store.App(ctx, r)
		if err != nil {
			return current, err
		}
		k, err := s.Vault.Catalog.Current(ctx, r.Tenant, current.Connector)
		if err != nil {
			return current, fault.E(fault.Misconfigured, "the connector of this app is gone", err).WithCode("definition-missing")
		}
		next, err := s.filledApp(ctx, k, current, in)
		if err != nil {
			return current, err
		}
		written, err := s.Store.UpdateApp(ctx, r, func(a *storage.App) error {
			if a.Revision != current.Revision {
				return errChanged
			}
			a.Name, a.Issuer, a.ClientID, a.Scopes = next.Name, next.Issuer, next.ClientID, next.Scopes
			a.Fields, a.SecretNames, a.Secrets = next.Fields, next.SecretNames, next.Secrets
			change(a)
			return nil
		})
		if !errors.Is(err, errChanged) {
			return written, err
		}
	}
	return storage.App{}, fault.E(fault.Conflict, "the app is being changed by somebody else; try again", errChanged)
}
