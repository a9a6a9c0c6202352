package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"rolecall/lifecycle/policy"
)

func policyCommand(t *terminal) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "policy",
		Short: "Begin, check, test and explain the policy file, and say whom another would move",
	})
	cmd.AddCommand(policyCheckCommand(t), policyTestCommand(t), policyExplainCommand(t), policyDiffCommand(t), policyInitCommand(t), policySchemaCommand(t))
	return cmd
}

// policyPath is the file a policy command works on: its argument, or the
// configured one.
func policyPath(args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	cfg, err := loadConfig(needPolicy)
	return cfg.Policy, err
}

func policyCheckCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say every mistake in the policy file, with its line and column; exits 2 when there is one",
		Args:  usage(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			path, err := policyPath(args)
			if err != nil {
				return err
			}
			rules, err := policy.Load(path)
			if t.json {
				if mistakes, ok := errors.AsType[policy.Mistakes](err); ok {
					return errors.Join(printJSON(t.out, mistakes), coded(exitUsage, fmt.Errorf("%d mistakes in %s", len(mistakes), path)))
				}
			}
			if err != nil {
				return coded(exitUsage, err)
			}
			if t.json {
				return printJSON(t.out, []policy.Mistake{})
			}
			fmt.Fprintf(t.out, "%s is in order: %s, %s, sha256 %s.\n", path, count(len(rules.Rules), "rule"), count(len(rules.Teams), "team"), rules.SHA256)
			return nil
		},
	}
}

func policyTestCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "test [FILE]",
		Short: "Run the tests that the policy file carries about itself",
		Args:  usage(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			path, err := policyPath(args)
			if err != nil {
				return err
			}
			rules, err := policy.Load(path)
			if err != nil {
				return coded(exitUsage, err)
			}
			failures := policy.Test(rules)
			if t.json {
				return errors.Join(printJSON(t.out, orEmpty(failures)), failed(failures, path))
			}
			for _, f := range failures {
				fmt.Fprintf(t.out, "%s: %s\n", path, plain(f.String()))
			}
			if len(failures) == 0 {
				fmt.Fprintf(t.out, "%s passed.\n", count(len(rules.Tests), "test"))
			}
			return failed(failures, path)
		},
	}
}

func failed(failures []policy.TestFailure, path string) error {
	if len(failures) == 0 {
		return nil
	}
	return coded(exitUsage, fmt.Errorf("%d expectations of %s do not hold", len(failures), path))
}
