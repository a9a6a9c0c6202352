package intake

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"

	"rolecall/lifecycle"
)

// WriteRoster writes who everybody is, in the order given, so that ReadRoster
// reads the same persons from it. Cells that a spreadsheet would take for a
// formula begin with ', which ReadRoster takes away again. Who has no employee id
// or no address can be in no roster: it returns how many were left out because no
// source of truth has given them one, apart from those whom none vouches for. The
// error is of w, or a Refusal of a format that there is not.
func WriteRoster(w io.Writer, format Format, people []lifecycle.Identity) (left int, err error) {
	var write func(lifecycle.Person) error
	table := csv.NewWriter(w)
	switch format {
	case CSV:
		write = func(p lifecycle.Person) error { return table.Write(cellsOf(p)) }
		if err := table.Write(stateFields()); err != nil {
			return 0, fmt.Errorf("write roster: %w", err)
		}
	case JSONL:
		lines := json.NewEncoder(w)
		write = func(p lifecycle.Person) error { return lines.Encode(p) }
	default:
		return 0, lifecycle.Refuse(lifecycle.ErrInvalid, "roster format %q is not csv or jsonl", format)
	}
	for _, i := range people {
		if !i.Sourced() {
			continue
		}
		if i.Person.EmployeeID == "" || i.Person.Email() == "" {
			left++
			continue
		}
		if err := write(i.Person); err != nil {
			return left, fmt.Errorf("write roster row of %s: %w", i.ID, err)
		}
	}
	table.Flush()
	if err := table.Error(); err != nil {
		return left, fmt.Errorf("write roster: %w", err)
	}
	return left, nil
}

// cellsOf returns a person's cells in the order of stateFields.
func cellsOf(p lifecycle.Person) []string {
	cells := []string{
		p.EmployeeID, string(p.Status), joinList(p.Emails), p.Name, p.Department, p.Location, p.Country, p.Title,
		string(p.Employment), p.ManagerID, joinList(p.Groups), string(p.StartDate), string(p.EndDate), p.Timezone,
	}
	for i, c := range cells {
		cells[i] = escapeFormula(c)
	}
	return cells
}
