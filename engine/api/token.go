package api

import (
	"context"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/access"
	"dowel/engine/connection"
)

// buffers keeps room for token answers. It is emptied before it is put back.
type buffers struct{ pool sync.Pool }

func (b *buffers) take() *[]byte {
	if v, ok := b.pool.Get().(*[]byte); ok {
		return v
	}
	room := make([]byte, 0, 8<<10)
	return &room
}

func (b *buffers) give(room *[]byte, used []byte) {
	clear(used)
	*room = used[:0]
	b.pool.Put(room)
}

// token hands out a live credential: from memory if it can, which is nearly always, and else as the
// services say.
func (h *handler) token(c *fiber.Ctx) error {
	p, err := h.caller(c)
	if err != nil {
		return err
	}
	w, err := wish(c)
	if err != nil {
		return err
	}
	room := h.buffers.take()
	out, err := h.appendToken((*room)[:0], p, c.Params("id"), w)
	if err == nil {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		c.Response().SetBody(out)
	}
	h.buffers.give(room, out)
	return err
}

// appendToken appends the answer to dst.
func (h *handler) appendToken(dst []byte, p access.Principal, id string, w connection.Wish) ([]byte, error) {
	if !w.Force {
		if out, ok := h.Connections.PeekToken(dst, p, id, w.MinTTL); ok {
			return out, nil
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	live, err := h.Connections.Token(ctx, p, id, w)
	if err != nil {
		return dst, err
	}
	return live.AppendJSON(dst), nil
}

func wish(c *fiber.Ctx) (w connection.Wish, err error) {
	if c.Context().QueryArgs().Len() == 0 {
		return w, nil
	}
	if w.MinTTL, err = duration(c, "min_ttl", 24*time.Hour); err != nil {
		return w, err
	}
	w.Force, err = boolean(c, "force")
	return w, err
}
