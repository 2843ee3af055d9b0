package simulator

import (
	"github.com/expr-lang/expr/ast"

	"dowel/engine/definition"
)

// statusFor is the status of a problem: the one from which e reads its code, or, where e takes other
// statuses for other codes, one that is none of them.
func statusFor(e *definition.Expression, p *problem) int {
	if !reads(e, "response.status") {
		return p.status
	}
	d := document{}
	d.place(e, p.code)
	if said, ok := d.get([]any{"response", "status"}).(int); ok {
		return said
	}
	others, tree, status := numbers{}, parse(e), p.status
	ast.Walk(&tree, others)
	for others[status] {
		status++
	}
	return status
}

// numbers collects the whole numbers in an expression.
type numbers map[int]bool

// Visit implements ast.Visitor.
func (all numbers) Visit(n *ast.Node) {
	if v, ok := (*n).(*ast.IntegerNode); ok {
		all[v.Value] = true
	}
}
