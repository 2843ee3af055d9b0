package rehearsal

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"

	"dowel/engine/definition"
	"dowel/engine/simulator"
)

// keyring holds keys to sign with, made once for each algorithm: an RSA key takes a while.
type keyring struct {
	mu   sync.Mutex
	keys map[string]string
	// certificates are those of keys.
	certificates map[string]string
}

func newKeyring() *keyring {
	return &keyring{keys: map[string]string{}, certificates: map[string]string{}}
}

// key returns the key of a name for j; other names have other keys.
func (r *keyring) key(name string, j *definition.JWT) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	family := name + " " + j.Alg[:2] + " " + j.KeyEncoding
	if j.Alg[:2] == "PS" {
		family = name + " RS"
	}
	if j.Alg[:2] == "ES" {
		family = name + " " + j.Alg
	}
	if k, ok := r.keys[family]; ok {
		return k, nil
	}
	k, err := simulator.NewKey(j.Alg, j.KeyEncoding)
	if err == nil {
		r.keys[family] = k
	}
	return k, err
}

// The names of the keys.
const (
	goodKey  = "good"
	otherKey = "other" // which no provider knows
)

// ofPerson and ofApp say whose answers a key is among.
var (
	ofPerson = []string{"inputs", "fields"}
	ofApp    = []string{"app"}
)

// tokensOf are the tokens of a method whose keys have to be made: a secret that signs requests is what the
// form says it is, and the provider knows it.
func tokensOf(a *definition.Auth) []*definition.JWT {
	return append(a.JWTs(), slices.DeleteFunc(a.Signings(), (*definition.JWT).Symmetric)...)
}

// withKeys returns the answers with a key wherever one of the method's tokens is signed with one of them.
func (p *play) withKeys(answers map[string]string, name string, roots []string) (map[string]string, error) {
	out := maps.Clone(answers)
	for _, j := range tokensOf(p.a) {
		key, err := p.keys.key(name, j)
		if err != nil {
			return nil, err
		}
		if err := paste(out, p.k, p.a, j, key, roots); err != nil {
			return nil, err
		}
	}
	certificate, key, err := p.keys.certificate(p.k, p.a, name)
	pasteCertificate(out, p.k, p.a, certificate, key, roots)
	return out, err
}

// pasteCertificate enters the method's certificate and its key among the answers of roots.
func pasteCertificate(answers map[string]string, k *definition.Connector, a *definition.Auth, certificate, key string, roots []string) {
	if a.TLS == nil {
		return
	}
	for from, text := range map[*definition.Template]string{&a.TLS.Certificate: certificate, &a.TLS.Key: key} {
		for _, asked := range k.Asked(a, from) {
			if slices.Contains(roots, asked.Root) {
				answers[asked.Field.Name] = text
			}
		}
	}
}

// certificate returns the certificate of a name for a method that shows one, and its key: the one that
// signs, if an answer is for both.
func (r *keyring) certificate(k *definition.Connector, a *definition.Auth, name string) (certificate, key string, err error) {
	if a.TLS == nil {
		return "", "", nil
	}
	signer := &definition.JWT{Alg: "ES256"}
	shown := k.Asked(a, &a.TLS.Key)
	for _, j := range a.JWTs() {
		if asked := k.Asked(a, &j.Key); len(asked) > 0 && len(shown) > 0 && asked[0].Root == shown[0].Root && asked[0].Field.Name == shown[0].Field.Name {
			signer = j
		}
	}
	if key, err = r.key(name, signer); err != nil {
		return "", "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.certificates[key]; ok {
		return c, key, nil
	}
	if certificate, _, err = simulator.NewCertificate(key); err == nil {
		r.certificates[key] = certificate
	}
	return certificate, key, err
}

// EnterKeys enters a key, and its certificate if there is one behind it, among a person's answers to a method;
// issued is what simulator.Issue made.
func EnterKeys(answers map[string]string, k *definition.Connector, a *definition.Auth, issued string) error {
	return enter(answers, k, a, issued, ofPerson)
}

// enter enters what was issued among the answers of roots.
func enter(answers map[string]string, k *definition.Connector, a *definition.Auth, issued string, roots []string) error {
	key, certificate := simulator.SplitIssued(issued)
	for _, j := range tokensOf(a) {
		if err := paste(answers, k, a, j, key, roots); err != nil {
			return err
		}
	}
	pasteCertificate(answers, k, a, certificate, key, roots)
	return nil
}

// paste enters the key of j among the answers of roots.
func paste(answers map[string]string, k *definition.Connector, a *definition.Auth, j *definition.JWT, key string, roots []string) error {
	for _, asked := range k.Asked(a, &j.Key) {
		if !slices.Contains(roots, asked.Root) {
			continue
		}
		text, err := pasted(k, asked, key, j)
		if err != nil {
			return err
		}
		answers[asked.Field.Name] = text
	}
	return nil
}

// registerKeys shows the provider whose signatures and certificates are good.
func (p *play) registerKeys(name string) error {
	p.simulator.ForgetKeys(p.k.ID, "")
	for _, a := range p.k.Auth {
		for _, j := range tokensOf(a) {
			key, err := p.keys.key(name, j)
			if err != nil {
				return err
			}
			if err := p.simulator.RegisterKey(p.k.ID, "", key); err != nil {
				return fmt.Errorf("register the key: %w", err)
			}
		}
		certificate, _, err := p.keys.certificate(p.k, a, name)
		if err == nil && certificate != "" {
			err = p.simulator.RegisterCertificate(p.k.ID, "", certificate)
		}
		if err != nil {
			return fmt.Errorf("register the certificate: %w", err)
		}
	}
	return nil
}

// member finds what a formula takes out of a file of keys: fromJSON(fields.file).private_key.
var member = regexp.MustCompile(`fromJSON\((?:inputs|fields|app)\.([A-Za-z0-9_]+)\)\.([A-Za-z0-9_]+)`)

// pasted is how a person enters a key: as it is, or as a member of the file that it comes in.
func pasted(k *definition.Connector, asked definition.Asked, key string, j *definition.JWT) (string, error) {
	if asked.Field.Format != "json" {
		return key, nil
	}
	file := map[string]string{"client_email": "ana@example.com"}
	for _, m := range member.FindAllStringSubmatch(string(k.Source), -1) {
		if m[1] == asked.Field.Name && file[m[2]] == "" {
			file[m[2]] = "acme" + m[2]
		}
	}
	if m := member.FindStringSubmatch(j.Key.Source); m != nil {
		file[m[2]] = key
	}
	b, err := json.Marshal(file)
	return string(b), err
}

// unfit are keys of another kind than j signs with.
func (p *play) unfit(j *definition.JWT) (string, error) {
	algs := []string{"EdDSA", "ES256"}
	if slices.Contains(algs[:1], j.Alg) {
		algs = algs[1:]
	}
	return p.keys.key(otherKey, &definition.JWT{Alg: algs[0]})
}
