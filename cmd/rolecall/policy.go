package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/lifecycle/policy"
)

func policyCommand(t *terminal) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "policy",
		Short: "Check, test and explain the policy file",
	})
	cmd.AddCommand(policyCheckCommand(t), policyTestCommand(t), policyExplainCommand(t))
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

func policyExplainCommand(t *terminal) *cobra.Command {
	var email, attributes string
	cmd := &cobra.Command{
		Use:   "explain --email EMAIL | --given department=Payments,title=SRE",
		Short: "Say which rules speak of somebody, which nearly do, and what follows",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (email == "") == (attributes == "") {
				return coded(exitUsage, errors.New("say whom: either --email EMAIL, or --given with attributes such as department=Payments,title=SRE"))
			}
			needs := []part{needPolicy}
			if email != "" {
				needs = append(needs, needDatabase)
			}
			cfg, err := loadConfig(needs...)
			if err != nil {
				return err
			}
			rules, err := policy.Load(cfg.Policy)
			if err != nil {
				return coded(exitUsage, err)
			}
			rules = rules.At(time.Now())
			person, err := whom(cmd.Context(), email, attributes, rules)
			if err != nil {
				return err
			}
			if t.json {
				return printJSON(t.out, policy.Answers(rules, person))
			}
			return policy.Explain(t.out, rules, person)
		},
	}
	cmd.Flags().StringVar(&email, "email", "", "address of somebody a source of truth has sent")
	cmd.Flags().StringVar(&attributes, "given", "", "attributes of somebody made up, such as department=Payments,title=SRE")
	return cmd
}

// madeUp returns the person that attributes describe.
func madeUp(attributes string) (lifecycle.Person, error) {
	var p lifecycle.Person
	for pair := range strings.SplitSeq(attributes, ",") {
		key, value, found := strings.Cut(strings.TrimSpace(pair), "=")
		if !found {
			return p, lifecycle.Refuse(lifecycle.ErrInvalid, "%q is not an attribute like department=Payments", pair)
		}
		switch lifecycle.Attribute(key) {
		case lifecycle.AttrDepartment:
			p.Department = value
		case lifecycle.AttrTitle:
			p.Title = value
		case lifecycle.AttrLocation:
			p.Location = value
		case lifecycle.AttrCountry:
			p.Country = value
		case lifecycle.AttrEmployment:
			p.Employment = lifecycle.Employment(value)
		case lifecycle.AttrGroups:
			p.Groups = append(p.Groups, value)
		case lifecycle.AttrManagerID:
			p.ManagerID = value
		case lifecycle.AttrEmployeeID:
			p.EmployeeID = value
		case lifecycle.AttrEmail:
			p.Emails = append(p.Emails, value)
		case "end_date":
			day, err := lifecycle.ParseDate(value)
			if err != nil {
				return p, err
			}
			p.EndDate = day
		default:
			return p, lifecycle.Refuse(lifecycle.ErrInvalid, "%q is not an attribute; there are %v", key, append(lifecycle.Attributes(), "end_date"))
		}
	}
	return p, nil
}
