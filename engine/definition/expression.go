package definition

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/expr-lang/expr/vm"
	"go.yaml.in/yaml/v3"
)

// Position is where something stands in a definition's file; lines and columns count from 1.
type Position struct{ Line, Col int }

// Expression is one bare formula, such as response.body.user.id.
type Expression struct {
	Source  string
	At      Position
	program *vm.Program
	uses    []use
	// path is set if the formula only names a member, which most do: that is read without a machine.
	path []string
}

// UnmarshalYAML keeps the text and where it stands; compile comes later.
func (e *Expression) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: an expression must be a text", n.Line)
	}
	e.Source, e.At = n.Value, Position{n.Line, n.Column}
	return nil
}

// ErrNotCompiled is returned when a formula is used before its definition was compiled.
var ErrNotCompiled = errors.New("formula is not compiled")

// Eval returns the value of e. A member that the data does not have is nil, not an error. The result
// shares nothing with env that the caller may not keep.
func (e *Expression) Eval(env Env) (any, error) {
	if e.program == nil {
		return nil, ErrNotCompiled
	}
	if v, ok := walk(env, e.path); ok {
		return v, nil
	}
	machine := vm.VM{MemoryBudget: memoryBudget}
	v, err := machine.Run(e.program, map[string]any(env))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Source, err)
	}
	return v, nil
}

// memoryBudget bounds what one formula may build, in expr's own unit (about one per element).
const memoryBudget = 100_000

// Value is Eval for reading an answer: what cannot be read is nil.
func (e *Expression) Value(env Env) any {
	if e == nil {
		return nil
	}
	v, err := e.Eval(env)
	if err != nil {
		return nil
	}
	return v
}

// Text is Value as a text; numbers are written without an exponent, nil is empty.
func (e *Expression) Text(env Env) string { return Text(e.Value(env)) }

// Is reports whether e is true; what cannot be read is not.
func (e *Expression) Is(env Env) bool { return Truth(e.Value(env)) }

// Truth reads a decision: true, "true", "1" and numbers other than zero are true.
func Truth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v == "true" || v == "1"
	case float64:
		return v != 0
	case int:
		return v != 0
	case int64:
		return v != 0
	}
	return false
}

// Text writes a value as a text: numbers without an exponent, nil as nothing.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatInt(int64(v), 10)
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case fmt.Stringer:
		return v.String()
	default:
		return fmt.Sprint(v)
	}
}
