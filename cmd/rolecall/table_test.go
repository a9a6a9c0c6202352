package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestATableIsFoldedToTheTerminal(t *testing.T) {
	t.Parallel()
	header := []string{"ID", "WHO", "CHANGES"}
	row := []string{"req_7fkeynix75tre2rzefpeatoude", "Nora Li", "new account as Responder, joins Payments as responder"}
	for name, tt := range map[string]struct {
		most int
		want []string
	}{
		"no terminal":               {0, []string{strings.Join(row, "|")}},
		"a wide one":                {200, []string{strings.Join(row, "|")}},
		"a narrow one":              {70, []string{row[0] + "|Nora Li|new account as Responder,", "||joins Payments as responder"}},
		"one too narrow for the id": {20, []string{row[0] + "|Nora|new", "|Li|account as", "||Responder,", "||joins", "||Payments", "||as", "||responder"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, line := range foldedRow(row, fitted([][]string{header, row}, tt.most)) {
				got = append(got, strings.Join(line, "|"))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestATableInAPipeIsALineForEachRow(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	long := strings.Repeat("word ", 100) + "end"
	if err := printTable(&out, []string{"A", "B"}, [][]string{{"y\nz", "-"}, {"x", long}}); err != nil {
		t.Fatal(err)
	}
	if want := "A    B\ny z  -\nx    " + long + "\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
