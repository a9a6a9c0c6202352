package pagerdutytest

// Keep is how many entries a recording holds.
const Keep = keep

// Capped drops what a recording no longer holds.
func Capped(s []int) []int { return capped(s) }

// An Operation is a route as the document test sees it.
type Operation struct {
	Method, Path, Scope string
	Params              []string
}

// Operations returns every operation of the fake.
func Operations() []Operation {
	var out []Operation
	for _, rt := range routes() {
		out = append(out, Operation{rt.method, rt.path, rt.scope, rt.params})
	}
	return out
}
