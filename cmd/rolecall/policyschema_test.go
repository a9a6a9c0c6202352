package main

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"rolecall/lifecycle/policy"
)

func TestTheDemosPolicyFitsTheSchema(t *testing.T) {
	t.Parallel()
	b, err := policy.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var file any
	if err := yaml.Load([]byte(newCompany().policyFile()), &file); err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(file); err != nil {
		t.Error(err)
	}
	if err := s.Validate(map[string]any{"version": 1}); err == nil {
		t.Error("a file without domains and security fits the schema")
	}
}
