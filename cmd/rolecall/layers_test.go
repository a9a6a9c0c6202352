package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The house: which room may know of which. A test that fails here says why.
var rooms = []struct {
	room string
	may  []string // of ours
	why  string
}{
	{"lifecycle", nil, "the domain decides, and depends on nobody"},
	{"lifecycle/policy", []string{"lifecycle"}, "the rules file is read into the domain's words, wherever it is used"},
	{"lifecycle/intake", []string{"lifecycle"}, "an intake only writes facts"},
	{"lifecycle/intake/okta", []string{"lifecycle", "lifecycle/intake"}, "an intake only writes facts, and shares the ledger of refusals"},
	{"lifecycle/intake/okta/oktatest", nil, "a fake that shares code with what it tests proves nothing"},
	{"lifecycle/intake/scim", []string{"lifecycle", "lifecycle/intake"}, "an intake only writes facts, and shares the ledger of refusals"},
	{"lifecycle/intake/secevent", []string{"lifecycle", "lifecycle/intake"}, "an intake only writes facts, and shares the ledger of refusals"},
	{"lifecycle/pagerduty", []string{"lifecycle"}, "the platform acts, and knows of neither Slack nor SQL"},
	{"lifecycle/pagerduty/pagerdutytest", nil, "a fake that shares code with what it tests proves nothing"},
	{"storage", []string{"lifecycle", "storage/q", "storage/migrations"}, "the only SQL"},
	{"storage/q", []string{"storage"}, "generated from the queries"},
	{"storage/migrations", nil, "SQL files"},
	{"storage/storagetest", []string{"lifecycle", "storage"}, "one suite for every database"},
	{"bot", []string{"lifecycle"}, "conversations end in one domain call"},
	{"bot/slacktest", nil, "a fake that shares code with what it tests proves nothing"},
	{"bot/sandbox", []string{"bot/slacktest"}, "the page shows the fake workspace, and knows nothing of who uses it"},
}

// never is what the domain must not import of the standard library, and why.
var never = map[string]string{
	"net/http":     "the domain does not know how notices arrive",
	"database/sql": "the domain does not know where the register is kept",
	"os":           "the domain reads no files and no environment",
	"log":          "the domain returns what happened; the edges say it",
	"log/slog":     "the domain returns what happened; the edges say it",
}

const module = "rolecall/"

func TestEveryRoomImportsOnlyWhatItMay(t *testing.T) {
	t.Parallel()
	for room, imports := range importsOf(t) {
		if room == "cmd/rolecall" {
			continue // it wires everything
		}
		i := slices.IndexFunc(rooms, func(r struct {
			room string
			may  []string
			why  string
		},
		) bool {
			return r.room == room
		})
		if i < 0 {
			t.Errorf("%s is not a room of the house: add it to rooms with a reason, or put its code where it belongs", room)
			continue
		}
		for _, imp := range imports {
			if ours, ok := strings.CutPrefix(imp, module); ok && !slices.Contains(rooms[i].may, ours) {
				t.Errorf("%s imports %s, and may not: %s", room, ours, rooms[i].why)
			}
		}
	}
}

func TestTheDomainReachesNothingOutside(t *testing.T) {
	t.Parallel()
	for _, imp := range importsOf(t)["lifecycle"] {
		if why, bad := never[imp]; bad {
			t.Errorf("lifecycle imports %s: %s", imp, why)
		}
		if strings.Contains(imp, ".") {
			t.Errorf("lifecycle imports %s: the domain uses the standard library alone", imp)
		}
	}
}

func TestOnlyThePlatformKnowsPagerDutyAndOnlyTheBotKnowsSlack(t *testing.T) {
	t.Parallel()
	owners := map[string][]string{
		"github.com/PagerDuty/go-pagerduty": {"lifecycle/pagerduty"},
		"github.com/slack-go/slack":         {"bot"},
		"modernc.org/sqlite":                {"storage"},
		"github.com/jackc/pgx/v5":           {"storage"},
		"github.com/riverqueue/river":       {"storage"},
		"github.com/spf13/cobra":            {"cmd/rolecall"},
		"github.com/go-jose/go-jose/v4":     {"lifecycle/intake/secevent"},
		"github.com/elimity-com/scim":       {"lifecycle/intake/scim"},
		"github.com/scim2/filter-parser/v2": {"lifecycle/intake/scim"},
	}
	for room, imports := range importsOf(t) {
		for _, imp := range imports {
			for lib, may := range owners {
				if strings.HasPrefix(imp, lib) && !slices.Contains(may, room) && !strings.HasPrefix(room, may[0]+"/") {
					t.Errorf("%s imports %s, which belongs to %v", room, imp, may)
				}
			}
		}
	}
}

// importsOf returns what the Go files of each folder import, tests apart.
func importsOf(t *testing.T) map[string][]string {
	t.Helper()
	root := filepath.Join("..", "..")
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return fs.SkipDir // as the go tool does
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		room := filepath.ToSlash(rel)
		found[room] = append(found[room], nil...)
		for _, imp := range f.Imports {
			name, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			found[room] = append(found[room], name)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("read the project's imports: %v", err)
	}
	if len(found["lifecycle"]) == 0 {
		t.Fatal("no imports found: the test looks in the wrong place")
	}
	return found
}
