package policy

import (
	"encoding/json"
	"fmt"
)

// Schema returns the JSON Schema (draft 2020-12) of a policy file, for editors.
// It is drawn from what reads the file. It says which keys there are and what is
// written under each; that names agree with each other, are not given twice and
// are not at odds with what else the file says is beyond a schema, and only Parse
// tells. The error is that of writing JSON.
func Schema() ([]byte, error) {
	d := &document{defs: map[string]shape{}}
	s := value{doc: d}.sketch("Who should hold what in PagerDuty, who decides, and how carefully.", d.read)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "rolecall policy"
	s["$defs"] = d.defs
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema of a policy: %w", err)
	}
	return append(b, '\n'), nil
}
