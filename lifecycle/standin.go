package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// successor returns the address of who stands in for whom the absence is about:
// their delegate, or that one's while they are away too; "" where that is nobody.
// Away is by address.
func (a Absence) successor(away map[string]Absence) string {
	seen := []string{a.Email}
	for at := a; ; {
		to := at.Delegate
		if to == "" || slices.Contains(seen, to) {
			return ""
		}
		next, also := away[to]
		if !also {
			return to
		}
		at, seen = next, append(seen, to)
	}
}

// away returns who is away now, by address.
func (d *Desk) away(ctx context.Context) (map[string]Absence, error) {
	all, err := d.approvals.store.Absences(ctx, d.now())
	if err != nil {
		return nil, fmt.Errorf("list who is away: %w", err)
	}
	away := make(map[string]Absence, len(all))
	for _, a := range all {
		away[a.Email] = a
	}
	return away, nil
}

// StandsFor returns the absences of those for whom i stands in now, by address.
func (d *Desk) StandsFor(ctx context.Context, i Identity) ([]Absence, error) {
	away, err := d.away(ctx)
	if err != nil {
		return nil, err
	}
	var theirs []Absence
	for _, a := range away {
		if email := i.Person.Email(); email != "" && a.successor(away) == email {
			theirs = append(theirs, a)
		}
	}
	slices.SortFunc(theirs, func(a, b Absence) int { return strings.Compare(a.Email, b.Email) })
	return theirs, nil
}

// answersFor returns the addresses in whose name i answers for teams: their own,
// and of those for whom they stand in.
func (d *Desk) answersFor(ctx context.Context, i Identity) ([]string, error) {
	theirs, err := d.StandsFor(ctx, i)
	if err != nil {
		return nil, err
	}
	emails := []string{i.Person.Email()}
	for _, a := range theirs {
		emails = append(emails, a.Email)
	}
	return emails, nil
}

// ownsAny reports whether one of the addresses owns one of the teams.
func (p Policy) ownsAny(teams []TeamID, emails []string) bool {
	return slices.ContainsFunc(teams, func(t TeamID) bool {
		tp, ok := p.TeamByID(t)
		return ok && slices.ContainsFunc(emails, func(e string) bool { return slices.Contains(tp.Owners, e) })
	})
}

// readers returns who is sent the digests of all: each themselves, or who stands in
// for them while they are away. They get their own when they are back.
func (d *Desk) readers(ctx context.Context, all []string) ([]string, error) {
	away, err := d.away(ctx)
	if err != nil {
		return nil, err
	}
	var readers []string
	for _, email := range all {
		if a, gone := away[email]; gone {
			if to := a.successor(away); to != "" {
				email = to
			}
		}
		if !slices.Contains(readers, email) {
			readers = append(readers, email)
		}
	}
	return readers, nil
}
