package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
)

// body reads a JSON object into v; unknown fields are refused, so that a typing error does not pass
// for a default.
func body(c *fiber.Ctx, v any) error {
	if t, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType)); err != nil || t != fiber.MIMEApplicationJSON {
		return fiber.NewError(fiber.StatusUnsupportedMediaType, "The body must be application/json")
	}
	d := json.NewDecoder(bytes.NewReader(c.Body()))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		var te *json.UnmarshalTypeError
		if errors.As(err, &te) && te.Field == "" {
			return fault.E(fault.Invalid, "the body must be a JSON object", err)
		}
		if errors.As(err, &te) {
			return fault.Field(te.Field, "must be "+article(te.Type.String())+", not "+te.Value)
		}
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return fault.Field(strings.Trim(name, `"`), "there is no such field here")
		}
		return fault.E(fault.Invalid, "the body is not the JSON object that is wanted: "+jsonText(err), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fault.E(fault.Invalid, "the body has something after its JSON object", nil)
	}
	return nil
}

func article(goType string) string {
	switch goType {
	case "string":
		return "a text"
	case "bool":
		return "true or false"
	}
	return "of another type"
}

// jsonText is what encoding/json says; it names keys and places, never values.
func jsonText(err error) string {
	var se *json.SyntaxError
	if errors.As(err, &se) {
		return "syntax error at byte " + strconv.FormatInt(se.Offset, 10)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends too early"
	}
	return err.Error()
}

// duration reads a query parameter such as 90s; a bare number counts seconds.
func duration(c *fiber.Ctx, name string, longest time.Duration) (time.Duration, error) {
	v := c.Query(name)
	if v == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(v)
	if n, nerr := strconv.Atoi(v); nerr == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < 0 || d > longest {
		return 0, fault.Field(name, "must be a duration such as 90s, at most "+longest.String())
	}
	return d, nil
}

func boolean(c *fiber.Ctx, name string) (bool, error) {
	switch c.Query(name) {
	case "", "false", "0":
		return false, nil
	case "true", "1":
		return true, nil
	}
	return false, fault.Field(name, "must be true or false")
}

func integer(c *fiber.Ctx, name string, usual int) (int, error) {
	v := c.Query(name)
	if v == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > 200 {
		return 0, fault.Field(name, "must be a number from 1 to 200")
	}
	return n, nil
}
