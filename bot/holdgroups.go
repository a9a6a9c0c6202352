package bot

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

const (
	manyGroups = 15 // departments that a card lists
	fewNames   = 3  // people of each that it names
)

// A group is the people of one department that a hold stops; of movers, those
// who went from it to the same one.
type group struct {
	From, To string // "" for none; To only of movers
	People   []*lifecycle.Removal
}

// grouped returns the groups of all, the largest first.
func grouped(all []lifecycle.Removal) []group {
	at := map[[2]string]int{}
	var groups []group
	for i := range all {
		r := &all[i]
		key := [2]string{r.Department, r.Moved}
		k, ok := at[key]
		if !ok {
			k = len(groups)
			at[key] = k
			groups = append(groups, group{From: r.Department, To: r.Moved})
		}
		groups[k].People = append(groups[k].People, r)
	}
	for _, g := range groups {
		slices.SortStableFunc(g.People, func(a, b *lifecycle.Removal) int {
			return cmp.Or(strings.Compare(a.Label, b.Label), strings.Compare(string(a.Notice), string(b.Notice)))
		})
	}
	slices.SortStableFunc(groups, func(a, b group) int {
		return cmp.Or(len(b.People)-len(a.People), strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
	return groups
}

// name says in plain text which group it is.
func (g group) name(n int) string {
	from := cmp.Or(short(g.From, n), "No department")
	if g.To == "" {
		return from
	}
	return clip(from, n/2-2) + " → " + clip(short(g.To, n), n/2-2)
}

// value names the whole group among the options of a modal.
func (g group) value() string {
	sum := sha256.Sum256([]byte(g.From + "\x00" + g.To))
	return wholeGroup + hex.EncodeToString(sum[:8])
}

const wholeGroup = "all-of/"

// personName says in plain text who it is.
func personName(r *lifecycle.Removal, n int) string {
	return cmp.Or(short(r.Label, n), string(r.Identity))
}

// among names the first few of the people.
func among(people []*lifecycle.Removal) string {
	var names []string
	for _, r := range people[:min(len(people), fewNames)] {
		names = append(names, personName(r, maxTeam))
	}
	words := strings.Join(names, ", ")
	if left := len(people) - len(names); left > 0 {
		words += fmt.Sprintf(" and %d more", left)
	}
	return words
}

// groupTable draws the groups, the largest first.
func groupTable(groups []group) *slack.TableBlock {
	row := func(cells ...string) []slack.TableCell {
		var all []slack.TableCell
		for _, c := range cells {
			all = append(all, slack.NewTableRawTextCell(cmp.Or(c, "—")))
		}
		return all
	}
	t := slack.NewTableBlock("").WithColumnSettings(slack.ColumnSetting{IsWrapped: true}, slack.ColumnSetting{Align: slack.ColumnAlignmentRight}, slack.ColumnSetting{IsWrapped: true})
	head := "Department"
	if slices.ContainsFunc(groups, func(g group) bool { return g.To != "" }) {
		head = "From → to"
	}
	t.AddRow(row(head, "People", "Who")...)
	shown := groups[:min(len(groups), manyGroups)]
	for _, g := range shown {
		t.AddRow(row(g.name(maxTeam), fmt.Sprint(len(g.People)), among(g.People))...)
	}
	if rest := groups[len(shown):]; len(rest) > 0 {
		n := 0
		for _, g := range rest {
			n += len(g.People)
		}
		t.AddRow(row(fmt.Sprintf("%d more", len(rest)), fmt.Sprint(n), "all are in Release…")...)
	}
	return t
}
