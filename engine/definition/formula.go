package definition

import (
	"errors"
	"reflect"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
)

// maxNodes bounds the size of one formula.
const maxNodes = 200

// maxSource bounds the text of one formula or template.
const maxSource = 8 << 10

// builtins are the functions of expr that formulas may use; the others are switched off so that
// nothing undocumented can be relied on.
var builtins = []string{
	"all", "any", "one", "none", "map", "filter", "find", "first", "last", "len", "keys", "values", "sum",
	"trim", "trimPrefix", "trimSuffix", "upper", "lower", "split", "replace", "join", "indexOf",
	"lastIndexOf", "hasPrefix", "hasSuffix", "int", "float", "string", "toJSON", "fromJSON", "get",
	"type", "concat", "flatten", "uniq", "sort", "reverse", "take", "date", "duration", "min", "max",
}

// options are what every formula is compiled with.
func options(env types.Map) []expr.Option {
	opts := []expr.Option{
		expr.Env(env), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins(), expr.Patch(lenient{}),
	}
	for _, b := range builtins {
		opts = append(opts, expr.EnableBuiltin(b))
	}
	for _, f := range functions() {
		opts = append(opts, expr.Function(f.Name, f.call, f.types...))
	}
	return opts
}

// lenient lets a formula read past a member that an answer does not have: the result is nil.
type lenient struct{}

// Visit makes every member access optional, as if written with ?.
func (lenient) Visit(node *ast.Node) {
	m, ok := (*node).(*ast.MemberNode)
	if !ok || m.Method || m.Optional {
		return
	}
	m.Optional = true
	ast.Patch(node, &ast.ChainNode{Node: m})
}

// compileExpression compiles e for its place. want is the kind the result must have, or
// reflect.Invalid for any.
func compileExpression(e *Expression, env types.Map, want reflect.Kind) error {
	if strings.TrimSpace(e.Source) == "" {
		return errors.New("the formula is empty")
	}
	if len(e.Source) > maxSource {
		return errors.New("the formula is too long")
	}
	opts := options(env)
	if want != reflect.Invalid {
		opts = append(opts, expr.AsKind(want), expr.WarnOnAny())
	}
	program, err := expr.Compile(e.Source, opts...)
	if err != nil {
		return shortened(err)
	}
	e.program = program
	return nil
}

// compileTemplate compiles every formula of t.
func compileTemplate(t *Template, env types.Map) error {
	if len(t.Source) > maxSource {
		return errors.New("the template is too long")
	}
	if err := t.split(); err != nil {
		return err
	}
	for _, p := range t.parts {
		if p.expr != nil {
			if err := compileExpression(p.expr, env, reflect.Invalid); err != nil {
				return err
			}
		}
	}
	return nil
}

// shortened keeps the first line of expr's message: the rest is a drawing of the source.
func shortened(err error) error {
	var fe *file.Error
	if errors.As(err, &fe) {
		return errors.New(fe.Message)
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(first)
}
