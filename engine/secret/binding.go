package secret

import "encoding/binary"

// A Binding names the one place a Sealed belongs to. It is authenticated, not
// stored: what was sealed under one Binding opens under the same one only.
type Binding struct {
	Tenant string // Empty for records of the whole system.
	Kind   string // What is sealed, such as "credential" or "app_secret".
	ID     string // The record's id.
}

// associatedData encodes the binding so that no two bindings give the same
// bytes: every part comes with its length before it.
func (b Binding) associatedData() []byte {
	parts := [...]string{"dowel record 1", b.Tenant, b.Kind, b.ID}
	ad := make([]byte, 0, len(parts)*4+len(parts[0])+len(b.Tenant)+len(b.Kind)+len(b.ID))
	for _, p := range parts {
		ad = binary.BigEndian.AppendUint32(ad, uint32(len(p)))
		ad = append(ad, p...)
	}
	return ad
}

// Sealed is what may be stored: one format byte (1), then the tink ciphertext,
// which is its own version byte (1), the big-endian 32-bit id of the key inside
// the tenant's keyset, the nonce, and the encrypted bytes with their tag. It
// grows the plaintext by a fixed number of bytes, and tells its length.
type Sealed []byte

const (
	sealedFormat = 1
	// sealedHead is the format byte and tink's five-byte prefix.
	sealedHead = 6
)

// keyID returns the id of the tenant key that s names, and whether s is long
// enough and of a format this version reads.
func (s Sealed) keyID() (uint32, bool) {
	if len(s) < sealedHead || s[0] != sealedFormat {
		return 0, false
	}
	return binary.BigEndian.Uint32(s[2:sealedHead]), true
}
