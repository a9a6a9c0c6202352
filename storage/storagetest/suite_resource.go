package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/storage"
)

const client = "scim:okta"

func sampleUser(id string) lifecycle.Resource {
	return lifecycle.Resource{
		Client: client, Kind: lifecycle.ResourceUser, ID: id, Version: 1, Name: id + "@acme.test", ExternalID: "00u-" + id, Emails: []string{id + "@acme.test", id + "@home.test"},
		Body: []byte(`{"userName":"` + id + `@Acme.test", "active":true}`), Created: noon(), Modified: noon(),
	}
}

func sampleGroup(id string) lifecycle.Resource {
	return lifecycle.Resource{
		Client: client, Kind: lifecycle.ResourceGroup, ID: id, Version: 1, Name: "name of " + id,
		Body: []byte(`{"displayName":"Name of ` + id + `"}`), Created: noon(), Modified: noon(),
	}
}

// later returns r as its next version.
func later(r lifecycle.Resource) lifecycle.Resource {
	r.Version++
	r.Modified = r.Modified.Add(time.Minute)
	return r
}

func put(all ...lifecycle.Resource) lifecycle.Provision {
	return lifecycle.Provision{Put: all, Summary: event(lifecycle.EventResourceChanged, all[0].ID)}
}

func provisionFact(f lifecycle.Fact) lifecycle.Provision {
	return lifecycle.Provision{
		Facts: []lifecycle.Fact{f}, Lines: []lifecycle.AuditEvent{event(lifecycle.EventNoticeReceived, string(f.ID))},
		Summary: event(lifecycle.EventResourceChanged, "usr_1"), Next: []lifecycle.Job{{Kind: lifecycle.JobRegister, Ref: string(f.ID)}, {Kind: lifecycle.JobRestate, Ref: "more"}},
	}
}

func testResources(t *testing.T, x *fixture) {
	for name, test := range map[string]func(*testing.T, *fixture){
		"are put, changed and deleted":                 testResourceLife,
		"are found by what they are known by":          testResourceFilter,
		"come page by page":                            testResourcePages,
		"groups have members":                          testMembers,
		"what they say of people is kept with them":    testProvisionedFacts,
		"a change that cannot be made changes nothing": testProvisionRefused,
		"many at once":                                 testProvisionTogether,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, x)
		})
	}
}

func testResourceLife(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	load := func(id string) (lifecycle.Resource, error) {
		return db.Resource(t.Context(), client, lifecycle.ResourceUser, id)
	}
	ana := sampleUser("ana")
	must(t, db.Provision(t.Context(), put(ana)))
	if diff := cmp.Diff(ana, get[lifecycle.Resource](t)(load("ana"))); diff != "" {
		t.Errorf("as it was put (-want +got):\n%s", diff)
	}
	for name, id := range map[string][3]string{"another client's": {"scim:entra", "user", "ana"}, "another kind": {client, "group", "ana"}, "an unknown id": {client, "user", "bo"}} {
		if _, err := db.Resource(t.Context(), id[0], lifecycle.ResourceKind(id[1]), id[2]); !errors.Is(err, lifecycle.ErrNotFound) {
			t.Errorf("%s: %v, want not found", name, err)
		}
	}
	ana = later(ana)
	ana.Name, ana.Body = "ana.lind@acme.test", []byte(`{"userName":"ana.lind@acme.test"}`)
	if won := together(8, func() bool { return db.Provision(t.Context(), put(ana)) == nil }); won != 1 {
		t.Errorf("%d of those who changed it at once won, want 1", won)
	}
	if diff := cmp.Diff(ana, get[lifecycle.Resource](t)(load("ana"))); diff != "" {
		t.Errorf("as it was changed (-want +got):\n%s", diff)
	}
	must(t, db.Provision(t.Context(), put(sampleUser("bo"), func() lifecycle.Resource { // the name that was given up
		r := sampleUser("new-ana")
		r.Name = "ana@acme.test"
		return r
	}())))
	gone := lifecycle.Provision{Delete: []lifecycle.Resource{ana}, Summary: event(lifecycle.EventResourceChanged, "ana")}
	must(t, db.Provision(t.Context(), gone))
	if _, err := load("ana"); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("what was deleted: %v", err)
	}
	if err := db.Provision(t.Context(), gone); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("deleted again: %v, want a conflict", err)
	}
	if err := db.Provision(t.Context(), put(later(later(ana)))); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("what is gone came back: %v", err)
	}
	again := sampleUser("ana")
	again.Name = "somebody else"
	if err := db.Provision(t.Context(), put(again)); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("an id was used again: %v", err)
	}
	if left := query[string](t, raw(t, url), "SELECT body FROM resources WHERE id = 'ana'"); slices.ContainsFunc([]string{"acme", "00u", "userName"}, func(s string) bool { return strings.Contains(left, s) }) {
		t.Errorf("of what is gone is left: %s", left)
	}
	if n := query[int](t, raw(t, url), "SELECT count(*) FROM resource_emails WHERE id = 'ana'"); n != 0 {
		t.Errorf("%d addresses are left of what is gone", n)
	}
	heir := sampleUser("heir")
	heir.Name, heir.ExternalID = ana.Name, ana.ExternalID
	must(t, db.Provision(t.Context(), put(heir)))
	whole(t, url)
}

func testResourceFilter(t *testing.T, x *fixture) {
	db := x.open(t)
	ana, bo, cy := sampleUser("ana"), sampleUser("bo"), sampleUser("cy")
	bo.Created = noon().Add(-time.Hour)
	cy.ExternalID, cy.Emails = ana.ExternalID, []string{"cy@acme.test", "ana@acme.test"} // as only a person can tell
	pay, risk := sampleGroup("pay"), sampleGroup("risk")
	foreign := sampleUser("ana")
	foreign.Client = "scim:entra"
	p := put(ana, bo, cy, pay, risk)
	p.Join = map[string][]string{"pay": {"ana", "bo"}, "risk": {"ana"}}
	must(t, db.Provision(t.Context(), p))
	must(t, db.Provision(t.Context(), put(foreign)))
	for name, tt := range map[string]struct {
		f    lifecycle.ResourceFilter
		want []string
	}{
		"everybody, the oldest first":   {lifecycle.ResourceFilter{}, []string{"bo", "ana", "cy"}},
		"by id":                         {lifecycle.ResourceFilter{ID: "ana"}, []string{"ana"}},
		"by name":                       {lifecycle.ResourceFilter{Name: "bo@acme.test"}, []string{"bo"}},
		"by a name that nobody has":     {lifecycle.ResourceFilter{Name: "bo"}, nil},
		"by external id":                {lifecycle.ResourceFilter{ExternalID: "00u-ana"}, []string{"ana", "cy"}},
		"by address":                    {lifecycle.ResourceFilter{Email: "ana@acme.test"}, []string{"ana", "cy"}},
		"by address and name":           {lifecycle.ResourceFilter{Email: "ana@acme.test", Name: "cy@acme.test"}, []string{"cy"}},
		"by id and another's name":      {lifecycle.ResourceFilter{ID: "ana", Name: "cy@acme.test"}, nil},
		"by a second address":           {lifecycle.ResourceFilter{Email: "bo@home.test"}, []string{"bo"}},
		"groups by address":             {lifecycle.ResourceFilter{Kind: lifecycle.ResourceGroup, Email: "bo@home.test"}, nil},
		"groups":                        {lifecycle.ResourceFilter{Kind: lifecycle.ResourceGroup}, []string{"pay", "risk"}},
		"groups of a user":              {lifecycle.ResourceFilter{Kind: lifecycle.ResourceGroup, Member: "ana"}, []string{"pay", "risk"}},
		"groups of a user by name":      {lifecycle.ResourceFilter{Kind: lifecycle.ResourceGroup, Member: "ana", Name: "name of pay"}, []string{"pay"}},
		"groups of somebody in none":    {lifecycle.ResourceFilter{Kind: lifecycle.ResourceGroup, Member: "cy"}, nil},
		"users who have a user in them": {lifecycle.ResourceFilter{Member: "ana"}, nil},
	} {
		f := tt.f
		f.Client = client
		if f.Kind == "" {
			f.Kind = lifecycle.ResourceUser
		}
		page, total, err := db.Resources(t.Context(), f, 0, 10)
		must(t, err)
		if diff := cmp.Diff(tt.want, resourceIDs(page)); diff != "" || total != len(tt.want) {
			t.Errorf("%s: %d in all (-want +got):\n%s", name, total, diff)
		}
		if len(tt.want) < 2 {
			continue
		}
		second, total, err := db.Resources(t.Context(), f, 1, 1)
		must(t, err)
		if diff := cmp.Diff(tt.want[1:2], resourceIDs(second)); diff != "" || total != len(tt.want) {
			t.Errorf("%s, the second: %d in all (-want +got):\n%s", name, total, diff)
		}
		if none, total, err := db.Resources(t.Context(), f, 0, 0); err != nil || len(none) != 0 || total != len(tt.want) {
			t.Errorf("%s, none of them: %v of %d, %v", name, none, total, err)
		}
	}
}

func resourceIDs(all []lifecycle.Resource) []string {
	var ids []string
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	return ids
}

// testResourcePages reads page by page while others are created and deleted: who
// was there all along is read exactly once.
func testResourcePages(t *testing.T, x *fixture) {
	const all, size = 95, 10
	db := x.open(t)
	var users []lifecycle.Resource
	for n := range all {
		u := sampleUser(fmt.Sprintf("u%02d", all-n)) // the ids do not follow the order
		u.Created = noon().Add(time.Duration(n/3) * time.Second)
		users = append(users, u)
	}
	must(t, db.Provision(t.Context(), put(users...)))
	var read []string
	f := lifecycle.ResourceFilter{Client: client, Kind: lifecycle.ResourceUser}
	for skip := 0; ; skip += size {
		page, total, err := db.Resources(t.Context(), f, skip, size)
		must(t, err)
		read = append(read, resourceIDs(page)...)
		if skip >= total {
			break
		}
		late := sampleUser(fmt.Sprintf("late%02d", skip))
		late.Created = noon().Add(time.Hour)
		if skip < 20 {
			must(t, db.Provision(t.Context(), put(late)))
		}
	}
	if len(read) != all+2 || len(slices.Compact(slices.Sorted(slices.Values(read)))) != all+2 {
		t.Errorf("%d were read, some of them twice or not at all: %v", len(read), read)
	}
	if page, total, err := db.Resources(t.Context(), f, 1_000_000_000_000, 1_000_000_000_000); err != nil || len(page) != 0 || total != all+2 {
		t.Errorf("far behind the end: %d of %d, %v", len(page), total, err)
	}
	if page, _, err := db.Resources(t.Context(), f, -5, 2); err != nil || len(page) != 2 {
		t.Errorf("before the start: %v, %v", resourceIDs(page), err)
	}
}

func testMembers(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	ana, bo, cy, pay := sampleUser("ana"), sampleUser("bo"), sampleUser("cy"), sampleGroup("pay")
	must(t, db.Provision(t.Context(), put(ana, bo, cy, pay)))
	members := func(want ...string) {
		t.Helper()
		got := []string{}
		for after := ""; ; after = got[len(got)-1] {
			page := get[[]string](t)(db.Members(t.Context(), client, "pay", after, 2))
			got = append(got, page...)
			if len(page) < 2 {
				break
			}
		}
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Errorf("members (-want +got):\n%s", diff)
		}
	}
	change := func(join, leave []string) error {
		pay = later(pay)
		p := put(pay)
		p.Join, p.Leave = map[string][]string{"pay": join}, map[string][]string{"pay": leave}
		err := db.Provision(t.Context(), p)
		if err != nil {
			pay.Version--
		}
		return err
	}
	must(t, change([]string{"bo", "ana", "cy"}, nil))
	members("ana", "bo", "cy")
	must(t, change([]string{"ana"}, []string{"bo", "nobody"})) // who is one already, and who is none, change nothing
	members("ana", "cy")
	must(t, change([]string{"bo"}, []string{"bo", "ana"})) // who leaves and joins is one
	members("bo", "cy")
	if err := change([]string{"ana", "nobody"}, nil); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("somebody who is not there joined: %v", err)
	}
	p := put(later(ana))
	p.Join = map[string][]string{"none": {"ana"}}
	if err := db.Provision(t.Context(), p); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("somebody joined a group that is not there: %v", err)
	}
	members("bo", "cy")
	must(t, db.Provision(t.Context(), lifecycle.Provision{Delete: []lifecycle.Resource{bo}, Summary: event(lifecycle.EventResourceChanged, "bo")}))
	members("cy")
	must(t, db.Provision(t.Context(), lifecycle.Provision{Delete: []lifecycle.Resource{pay}, Summary: event(lifecycle.EventResourceChanged, "pay")}))
	members("cy") // who is still to be told of
	groups, total, err := db.Resources(t.Context(), lifecycle.ResourceFilter{Client: client, Kind: lifecycle.ResourceGroup, Member: "cy"}, 0, 10)
	if err != nil || len(groups) != 0 || total != 0 {
		t.Errorf("groups of a user whose group is gone: %v, %v", groups, err)
	}
	must(t, db.Provision(t.Context(), lifecycle.Provision{Client: client, Leave: map[string][]string{"pay": {"cy"}}, Summary: event(lifecycle.EventResourceChanged, "pay")}))
	members()
	whole(t, url)
}

func testProvisionedFacts(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	f := sampleFact(client, "evt-1")
	p := provisionFact(f)
	p.Put = []lifecycle.Resource{sampleUser("ana")}
	must(t, db.Provision(t.Context(), p))
	if diff := cmp.Diff(f, get[lifecycle.Fact](t)(db.Fact(t.Context(), f.ID))); diff != "" {
		t.Errorf("the fact came back different:\n%s", diff)
	}
	trail := get[[]storage.AuditLine](t)(db.Tail(t.Context(), 0, 10))
	if len(trail) != 2 || trail[0].Record != "resource/scim:okta/user/ana" || trail[1].Record != "fact/"+string(f.ID) {
		t.Errorf("the lines vouch for something else: %+v", trail)
	}
	again := provisionFact(sampleFact(client, "evt-1"))
	must(t, db.Provision(t.Context(), again))
	if _, err := db.Fact(t.Context(), again.Facts[0].ID); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("a repeat was kept: %v", err)
	}
	if n, r, m := lines(t, db), jobs(t, db, lifecycle.JobRegister), jobs(t, db, lifecycle.JobRestate); n != 3 || r != 1 || m != 2 {
		t.Errorf("%d lines, %d jobs about facts and %d others; want 3, 1 and 2", n, r, m)
	}
	whole(t, url)
}

func testProvisionRefused(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	ana := sampleUser("ana")
	must(t, db.Provision(t.Context(), put(ana)))
	namesake := sampleUser("bo")
	namesake.Name = ana.Name
	foreign := sampleUser("bo")
	foreign.Client = "scim:entra"
	with := func(p lifecycle.Provision, change func(*lifecycle.Provision)) lifecycle.Provision {
		change(&p)
		return p
	}
	before := lines(t, db)
	for name, tt := range map[string]struct {
		p    lifecycle.Provision
		kind error // nil: whatever
	}{
		"a second first version":           {put(sampleUser("bo"), ana), lifecycle.ErrConflict},
		"a version that skips one":         {put(sampleUser("bo"), later(later(ana))), lifecycle.ErrConflict},
		"a later version of nobody":        {put(later(sampleUser("bo"))), lifecycle.ErrConflict},
		"a name that is taken":             {put(sampleUser("cy"), namesake), lifecycle.ErrDuplicate},
		"a name twice":                     {put(namesake, ana), lifecycle.ErrDuplicate},
		"a deletion of another version":    {with(put(sampleUser("bo")), func(p *lifecycle.Provision) { p.Delete = []lifecycle.Resource{later(ana)} }), lifecycle.ErrConflict},
		"without its line":                 {lifecycle.Provision{Put: []lifecycle.Resource{sampleUser("bo")}}, nil},
		"a fact without its line":          {with(put(sampleUser("bo")), func(p *lifecycle.Provision) { p.Facts = []lifecycle.Fact{sampleFact(client, "evt")} }), nil},
		"of two clients":                   {put(sampleUser("bo"), foreign), nil},
		"members of nobody knows whom":     {lifecycle.Provision{Join: map[string][]string{"pay": {"ana"}}, Summary: event(lifecycle.EventResourceChanged, "pay")}, nil},
		"a fact with the id of another":    {with(provisionFact(sampleFact(client, "evt-1")), func(p *lifecycle.Provision) { p.Put = []lifecycle.Resource{later(later(ana))} }), lifecycle.ErrConflict},
		"a kind of thing that there isn't": {put(func() lifecycle.Resource { r := sampleUser("bo"); r.Kind = "device"; return r }()), nil},
	} {
		if err := db.Provision(t.Context(), tt.p); err == nil || tt.kind != nil && !errors.Is(err, tt.kind) {
			t.Errorf("%s: %v, want %v", name, err, tt.kind)
		}
	}
	if n := lines(t, db); n != before {
		t.Errorf("what was refused left %d lines", n-before)
	}
	if page, total, err := db.Resources(t.Context(), lifecycle.ResourceFilter{Client: client, Kind: lifecycle.ResourceUser}, 0, 10); err != nil || total != 1 {
		t.Errorf("what was refused left %v, %v", resourceIDs(page), err)
	}
	whole(t, url)
}

func testProvisionTogether(t *testing.T, x *fixture) {
	const each = 40
	db, url := x.openAt(t)
	made := make(chan string, 8*each)
	together(8, func() bool {
		for range each {
			u := sampleUser(unique())
			if len(made)%5 == 4 {
				u.Name = "shared@acme.test" // of which one can be
			}
			p := provisionFact(sampleFact(client, unique()))
			p.Put = []lifecycle.Resource{u}
			switch err := db.Provision(t.Context(), p); {
			case err == nil:
				made <- u.Name
			case !errors.Is(err, lifecycle.ErrDuplicate):
				t.Errorf("%s: %v", u.Name, err)
			}
			must1(t)(db.SaveFact(t.Context(), sampleFact("hr", unique()), event(lifecycle.EventNoticeReceived, "")))
		}
		return true
	})
	close(made)
	var names []string
	for n := range made {
		names = append(names, n)
	}
	_, total, err := db.Resources(t.Context(), lifecycle.ResourceFilter{Client: client, Kind: lifecycle.ResourceUser}, 0, 0)
	must(t, err)
	if sorted := slices.Compact(slices.Sorted(slices.Values(names))); len(sorted) != len(names) || total != len(names) {
		t.Errorf("%d were said to be made under %d names, and %d are there", len(names), len(sorted), total)
	}
	if n := lines(t, db); n != int64(2*len(names)+8*each) {
		t.Errorf("%d lines, want two for each of %d users and one for each of %d facts", n, len(names), 8*each)
	}
	whole(t, url)
}
