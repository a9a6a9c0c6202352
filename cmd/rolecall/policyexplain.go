package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

func policyExplainCommand(t *terminal) *cobra.Command {
	var email, id, attributes string
	cmd := &cobra.Command{
		Use:   "explain WHO | --email EMAIL | --id E1042 | --given department=Payments,title=SRE",
		Short: "Say which rules speak of somebody, which nearly do, and what follows",
		Args:  usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			var who string
			if len(args) > 0 {
				who = args[0]
			}
			if len(slices.DeleteFunc([]string{who, email, id, attributes}, func(s string) bool { return s == "" })) != 1 {
				return coded(exitUsage, errors.New("say whom: WHO, an address or an id; or either --email EMAIL, or --id with what a source knows them by, or --given with attributes such as department=Payments,title=SRE"))
			}
			if strings.Contains(who, "@") {
				email = who
			} else {
				id = cmp.Or(id, who)
			}
			needs := []part{needPolicy}
			if attributes == "" {
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
			person, err := whom(cmd.Context(), email, id, attributes, rules)
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
	cmd.Flags().StringVar(&id, "id", "", "what a source of truth knows somebody by, such as an employee number")
	cmd.Flags().StringVar(&attributes, "given", "", "attributes of somebody made up, such as department=Payments,title=SRE")
	return cmd
}

// whom returns the person that policy explain is about.
func whom(ctx context.Context, email, id, attributes string, rules lifecycle.Policy) (person lifecycle.Person, err error) {
	if attributes != "" {
		return madeUp(attributes)
	}
	err = withDatabase(ctx, func(ctx context.Context, db *storage.DB) error {
		var i lifecycle.Identity
		var err error
		if id != "" {
			i, err = known(ctx, db, id)
		} else {
			i, err = lifecycle.NewDirectory(db, asWritten{rules}, time.Now).Find(ctx, email)
		}
		person = i.Person
		return err
	})
	return person, err
}

// known returns the one identity that any source knows by the key, or that has
// it for its own id.
func known(ctx context.Context, db *storage.DB, key string) (lifecycle.Identity, error) {
	all, err := db.Identities(ctx)
	if err != nil {
		return lifecycle.Identity{}, fmt.Errorf("list identities: %w", err)
	}
	found := slices.DeleteFunc(all, func(i lifecycle.Identity) bool {
		return i.Merged != "" || string(i.ID) != key && i.Person.EmployeeID != key && !slices.Contains(slices.Collect(maps.Values(i.Keys)), key)
	})
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return lifecycle.Identity{}, lifecycle.Refuse(lifecycle.ErrNotFound, "Nobody is known by %s. Give an e-mail address, an id (idn_…), or what a source knows them by; `rolecall identity list --people` shows everybody.", key)
	}
	var who []string
	for _, i := range found {
		who = append(who, i.Person.Label()+" <"+i.Person.Email()+">")
	}
	return lifecycle.Identity{}, lifecycle.Refuse(lifecycle.ErrConflict, "%d people are known by %s: %s. Say which by their address.", len(found), key, strings.Join(who, ", "))
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
			var known []string
			for _, a := range lifecycle.Attributes() {
				known = append(known, string(a))
			}
			return p, lifecycle.Refuse(lifecycle.ErrInvalid, "%q is not an attribute; there are %s and end_date", key, strings.Join(known, ", "))
		}
	}
	return p, nil
}
