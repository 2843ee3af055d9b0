package egress

import (
	"container/list"
	"crypto/sha256"
	"crypto/tls"
	"net/http"
	"sync"
)

// maxCertified bounds how many client certificates have connections of their own at a time. The one used
// longest ago makes room; calls under way on it go on.
const maxCertified = 64

// wayKey says whose connections a call may share: those that showed the same certificate under the same
// rules. The key that belongs to a certificate need not be in it: the server has checked it, and ours is
// the one that was given together with the certificate.
type wayKey struct {
	fingerprint [sha256.Size]byte
	from        *way // the way without a certificate
}

// certified keeps the ways that show a certificate.
type certified struct {
	mu    sync.Mutex
	ways  map[wayKey]*list.Element // of *certifiedWay
	order list.List                // most recently used first
}

type certifiedWay struct {
	key wayKey
	way way
}

// way returns the way that is like from and shows cert; make makes a transport of its kind.
func (c *certified) way(from *way, cert *tls.Certificate, make func() *http.Transport) way {
	key := wayKey{fingerprintOf(cert), from}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.ways[key]; ok {
		c.order.MoveToFront(e)
		return e.Value.(*certifiedWay).way
	}
	w := &certifiedWay{key, newWay(func() *http.Transport { return showing(make(), cert) })}
	if c.ways == nil {
		c.ways = map[wayKey]*list.Element{}
	}
	c.ways[key] = c.order.PushFront(w)
	if c.order.Len() > maxCertified {
		oldest := c.order.Remove(c.order.Back()).(*certifiedWay)
		delete(c.ways, oldest.key)
		oldest.way.closeIdle()
	}
	return w.way
}

func (c *certified) closeIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.ways {
		e.Value.(*certifiedWay).way.closeIdle()
	}
}

// showing has t show cert to every server that asks for one, whichever authorities it names: it is up to
// the provider to say that another is wanted.
func showing(t *http.Transport, cert *tls.Certificate) *http.Transport {
	t.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	return t
}

// fingerprintOf is over the whole chain, of which the provider may need every part.
func fingerprintOf(cert *tls.Certificate) [sha256.Size]byte {
	h := sha256.New()
	for _, der := range cert.Certificate {
		h.Write(der)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
