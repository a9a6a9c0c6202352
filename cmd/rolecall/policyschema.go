package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"rolecall/lifecycle/policy"
)

func policySchemaCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a policy file, for editors",
		Long: "Kept beside the file as policy.schema.json, it lets an editor complete and explain every key; the first line of\n" +
			"the file says so: # yaml-language-server: $schema=policy.schema.json",
		Args: usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			schema, err := policy.Schema()
			if err != nil {
				return err
			}
			if _, err := t.out.Write(schema); err != nil {
				return fmt.Errorf("write schema: %w", err)
			}
			return nil
		},
	}
}
