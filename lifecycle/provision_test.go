package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// provisions is the real store, which keeps beside it what it was given.
type provisions struct {
	lifecycle.ResourceStore
	mu     sync.Mutex
	given  []lifecycle.Provision
	before func()
	always error
}

func (p *provisions) Provision(ctx context.Context, c lifecycle.Provision) error {
	if p.before != nil {
		p.before()
	}
	if p.always != nil {
		return p.always
	}
	if err := p.ResourceStore.Provision(ctx, c); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.given = append(p.given, c)
	return nil
}

func (p *provisions) facts() []lifecycle.Fact {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []lifecycle.Fact
	for _, c := range p.given {
		all = append(all, c.Facts...)
	}
	return all
}

func newProvisions(t *testing.T) (*house, *provisions, *lifecycle.Provisioning) {
	t.Helper()
	h := newHouse(t)
	store := &provisions{ResourceStore: h.store.DB}
	return h, store, lifecycle.NewProvisioning(store, h.now)
}

const scimOkta = "scim:okta"

func orderOf(kind lifecycle.ResourceKind, id, body string, m lifecycle.MemberChange) lifecycle.ResourceOrder {
	return lifecycle.ResourceOrder{Client: scimOkta, Kind: kind, ID: id, SHA256: "abc", Edit: func([]byte) (lifecycle.ResourceDraft, error) {
		return lifecycle.ResourceDraft{Body: []byte(body), Members: m}, nil
	}}
}

func create(t *testing.T, p *lifecycle.Provisioning, kind lifecycle.ResourceKind, body string, members ...string) lifecycle.Resource {
	t.Helper()
	r, err := p.Create(t.Context(), orderOf(kind, "", body, lifecycle.MemberChange{Whole: true, Join: members}))
	must(t, err)
	return r
}

func TestWhatABodySaysOfAPerson(t *testing.T) {
	t.Parallel()
	const work = `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
	for name, tt := range map[string]struct {
		body string
		want *lifecycle.Person // nil: nothing is said
	}{
		"everything": {
			body: `{"userName":"m","displayName":"Mina Ito","title":"SRE","userType":"Contractor","timezone":"Asia/Tokyo","active":true,
				"emails":[{"value":"mina@acme.test","type":"work"}],"addresses":[{"type":"home","locality":"Kyoto"},{"type":"work","locality":"Tokyo","country":"JP"}],
				` + work + `:{"employeeNumber":"E1042","department":"Payments","costCenter":"7","division":"Tech","manager":{"value":"E0007"}}}`,
			want: &lifecycle.Person{
				EmployeeID: "E1042", Status: lifecycle.StatusActive, Emails: []string{"mina@acme.test"}, Name: "Mina Ito", Department: "Payments", Location: "Tokyo",
				Country: "JP", Title: "SRE", Employment: lifecycle.Contractor, ManagerID: "E0007", Timezone: "Asia/Tokyo",
			},
		},
		"the primary address comes first, then one of work": {
			body: `{"userName":"m","emails":[{"value":"x@acme.test"},{"value":"w@acme.test","type":"Work"},{"value":" p@acme.test ","primary":true},{"value":"p@acme.test"}]}`,
			want: &lifecycle.Person{Status: lifecycle.StatusActive, Emails: []string{"p@acme.test", "w@acme.test", "x@acme.test"}},
		},
		"a userName that is an address serves where there is none": {
			body: `{"userName":"mina@acme.test","emails":[{"value":"not an address","primary":true}]}`,
			want: &lifecycle.Person{Status: lifecycle.StatusActive, Emails: []string{"mina@acme.test"}},
		},
		"a userName is no second address": {
			body: `{"userName":"upn@acme.test","emails":[{"value":"mina@acme.test"}]}`,
			want: &lifecycle.Person{Status: lifecycle.StatusActive, Emails: []string{"mina@acme.test"}},
		},
		"a guest is a vendor, by the name that is made for them": {
			body: `{"userName":"kay_partner.test#EXT#@acme.onmicrosoft.com","emails":[{"value":"kay@partner.test"}]}`,
			want: &lifecycle.Person{Status: lifecycle.StatusActive, Emails: []string{"kay@partner.test"}, Employment: lifecycle.Vendor},
		},
		"of a guest without an address nothing is said":     {body: `{"userName":"kay_partner.test#EXT#@acme.onmicrosoft.com"}`},
		"of somebody without an address nothing is said":    {body: `{"userName":"svc-backup","displayName":"Backup"}`},
		"nor of two addresses in one":                       {body: `{"userName":"a@acme.test,b@acme.test"}`},
		"a name in parts":                                   {body: `{"userName":"m@acme.test","name":{"givenName":"Mina","familyName":"Ito"}}`, want: &lifecycle.Person{Status: lifecycle.StatusActive, Emails: []string{"m@acme.test"}, Name: "Mina Ito"}},
		"a name as a whole before its parts":                {body: `{"userName":"m@acme.test","name":{"formatted":"Dr. Ito","givenName":"Mina"}}`, want: &lifecycle.Person{Status: lifecycle.StatusActive, Emails: []string{"m@acme.test"}, Name: "Dr. Ito"}},
		"inactive is suspended, never ended":                {body: `{"userName":"m@acme.test","active":false}`, want: &lifecycle.Person{Status: lifecycle.StatusSuspended, Emails: []string{"m@acme.test"}}},
		"a kind of employment that is none of ours is \"\"": {body: `{"userName":"m@acme.test","userType":"Temp"}`, want: &lifecycle.Person{Status: lifecycle.StatusActive, Emails: []string{"m@acme.test"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, store, p := newProvisions(t)
			create(t, p, lifecycle.ResourceUser, tt.body)
			facts := store.facts()
			if tt.want == nil {
				if len(facts) > 0 || !strings.Contains(store.given[0].Summary.Detail["unheard"], "without an address") {
					t.Errorf("facts %v, line %v", facts, store.given[0].Summary)
				}
				return
			}
			if len(facts) != 1 {
				t.Fatalf("facts %v", facts)
			}
			if diff := cmp.Diff(*tt.want, facts[0].Person); diff != "" {
				t.Errorf("person (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAChangeItsFactItsLinesAndItsJobAreOneTransaction(t *testing.T) {
	t.Parallel()
	h, store, p := newProvisions(t)
	u := create(t, p, lifecycle.ResourceUser, `{"userName":"Mina@acme.test"}`)
	h.pass(-time.Hour) // a clock was set back
	is, err := p.Change(t.Context(), orderOf(lifecycle.ResourceUser, u.ID, `{"active":false,"userName":"Mina@acme.test"}`, lifecycle.MemberChange{}))
	must(t, err)
	must(t, p.Delete(t.Context(), orderOf(lifecycle.ResourceUser, u.ID, "", lifecycle.MemberChange{})))

	if is.Version != 2 || is.Name != "mina@acme.test" || !is.Modified.After(u.Modified) || !is.Created.Equal(u.Created) {
		t.Errorf("resource %+v", is)
	}
	var said []string
	for i, c := range store.given {
		if len(c.Facts) != 1 || len(c.Lines) != 1 || len(c.Next) != 1 || c.Client != scimOkta {
			t.Fatalf("change %d: %+v", i, c)
		}
		f, job := c.Facts[0], c.Next[0]
		if f.Source != scimOkta || f.Key != u.ID || !f.Piecemeal || f.SHA256 != "abc" || c.Lines[0].Ref != string(f.ID) || job != (lifecycle.Job{Kind: lifecycle.JobRegister, Ref: string(f.ID)}) {
			t.Errorf("change %d: %+v, %v", i, f, job)
		}
		said = append(said, strings.TrimPrefix(f.EventID, u.ID)+" "+string(f.Person.Status)+" "+c.Summary.Detail["did"])
		if i > 0 && !f.ObservedAt.After(store.given[i-1].Facts[0].ObservedAt) {
			t.Errorf("what was said later is older: %v", f.ObservedAt)
		}
		if kept, err := h.store.Fact(t.Context(), f.ID); err != nil || kept.EventID != f.EventID {
			t.Errorf("fact %s: %+v, %v", f.ID, kept, err)
		}
	}
	if diff := cmp.Diff([]string{"@v1 active created", "@v2 suspended changed", "@v3 ended deleted"}, said); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestWhatIsSoAlreadyChangesNothing(t *testing.T) {
	t.Parallel()
	_, store, p := newProvisions(t)
	u := create(t, p, lifecycle.ResourceUser, `{"userName":"mina@acme.test"}`)
	g := create(t, p, lifecycle.ResourceGroup, `{"displayName":"SRE"}`, u.ID)
	given := len(store.given)
	for what, o := range map[string]lifecycle.ResourceOrder{
		"the same user":            orderOf(lifecycle.ResourceUser, u.ID, `{"userName":"mina@acme.test"}`, lifecycle.MemberChange{}),
		"the same group":           orderOf(lifecycle.ResourceGroup, g.ID, `{"displayName":"SRE"}`, lifecycle.MemberChange{Whole: true, Join: []string{u.ID}}),
		"a member again":           orderOf(lifecycle.ResourceGroup, g.ID, `{"displayName":"SRE"}`, lifecycle.MemberChange{Join: []string{u.ID}}),
		"who is none leaves again": orderOf(lifecycle.ResourceGroup, g.ID, `{"displayName":"SRE"}`, lifecycle.MemberChange{Leave: []string{"usr_nobody"}}),
	} {
		if _, err := p.Change(t.Context(), o); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if len(store.given) != given {
		t.Errorf("changes %+v", store.given[given:])
	}
	// What means nothing here is kept, and nothing is said.
	is, err := p.Change(t.Context(), orderOf(lifecycle.ResourceUser, u.ID, `{"locale":"ja","userName":"mina@acme.test"}`, lifecycle.MemberChange{}))
	must(t, err)
	if c := store.given[given]; is.Version != 3 || len(c.Facts)+len(c.Next) != 0 {
		t.Errorf("version %d, change %+v", is.Version, c)
	}
}

func TestRefusalsOfProvisioning(t *testing.T) {
	t.Parallel()
	_, store, p := newProvisions(t)
	u := create(t, p, lifecycle.ResourceUser, `{"userName":"mina@acme.test"}`)
	create(t, p, lifecycle.ResourceUser, `{"userName":"bo@acme.test"}`)
	given := len(store.given)
	old := orderOf(lifecycle.ResourceUser, u.ID, `{"userName":"x@acme.test"}`, lifecycle.MemberChange{})
	old.Version = 7
	other := orderOf(lifecycle.ResourceUser, u.ID, `{"userName":"x@acme.test"}`, lifecycle.MemberChange{})
	other.Client = "scim:entra"
	for what, tt := range map[string]struct {
		order lifecycle.ResourceOrder
		kind  error
	}{
		"a name that is taken":        {order: orderOf(lifecycle.ResourceUser, u.ID, `{"userName":"BO@acme.test"}`, lifecycle.MemberChange{}), kind: lifecycle.ErrDuplicate},
		"no name":                     {order: orderOf(lifecycle.ResourceUser, u.ID, `{"userName":" "}`, lifecycle.MemberChange{}), kind: lifecycle.ErrInvalid},
		"nobody":                      {order: orderOf(lifecycle.ResourceUser, "usr_nobody", `{"userName":"x"}`, lifecycle.MemberChange{}), kind: lifecycle.ErrNotFound},
		"another kind":                {order: orderOf(lifecycle.ResourceGroup, u.ID, `{"displayName":"x"}`, lifecycle.MemberChange{}), kind: lifecycle.ErrNotFound},
		"another client's":            {order: other, kind: lifecycle.ErrNotFound},
		"a version that has passed":   {order: old, kind: lifecycle.ErrConflict},
		"a new group of nobody known": {order: orderOf(lifecycle.ResourceGroup, "", `{"displayName":"x"}`, lifecycle.MemberChange{Join: []string{"usr_nobody"}}), kind: lifecycle.ErrInvalid},
	} {
		call := p.Change
		if tt.order.ID == "" {
			call = p.Create
		}
		if _, err := call(t.Context(), tt.order); !errors.Is(err, tt.kind) || lifecycle.ReasonOf(err) == "" {
			t.Errorf("%s: %v, want %v", what, err, tt.kind)
		}
	}
	if len(store.given) != given {
		t.Errorf("changes %+v", store.given[given:])
	}
}

// Who is always second is no client's mistake: it is a fault, to be tried again.
func TestWhoIsOvertakenForEverIsNotRefused(t *testing.T) {
	t.Parallel()
	_, store, p := newProvisions(t)
	u := create(t, p, lifecycle.ResourceUser, `{"userName":"mina@acme.test"}`)
	calls := 0
	store.before, store.always = func() { calls++ }, lifecycle.ErrConflict
	_, err := p.Change(t.Context(), orderOf(lifecycle.ResourceUser, u.ID, `{"userName":"x@acme.test"}`, lifecycle.MemberChange{}))
	if err == nil || lifecycle.ReasonOf(err) != "" || calls != 16 {
		t.Errorf("after %d tries: %v", calls, err)
	}
}

// A group is renamed, deleted, and its members are told of some at a time, by
// jobs that follow one another and may each be repeated.
func TestRestate(t *testing.T) {
	t.Parallel()
	_, store, p := newProvisions(t)
	var users []string
	for i := range 203 {
		users = append(users, create(t, p, lifecycle.ResourceUser, fmt.Sprintf(`{"userName":"u%d@acme.test"}`, i)).ID)
	}
	g := create(t, p, lifecycle.ResourceGroup, `{"displayName":"SRE"}`, users...)
	wantGroups(t, store, users, "SRE")

	_, err := p.Change(t.Context(), orderOf(lifecycle.ResourceGroup, g.ID, `{"displayName":"Reliability"}`, lifecycle.MemberChange{}))
	must(t, err)
	wantGroups(t, store, users, "SRE") // until the job has run
	if runs := restate(t, store, p); runs != 2 {
		t.Errorf("%d jobs", runs)
	}
	wantGroups(t, store, users, "Reliability")

	must(t, p.Delete(t.Context(), orderOf(lifecycle.ResourceGroup, g.ID, "", lifecycle.MemberChange{})))
	restate(t, store, p)
	wantGroups(t, store, users, "")
	left, err := store.Members(t.Context(), scimOkta, g.ID, "", 10)
	if err != nil || len(left) > 0 {
		t.Errorf("members of a group that is gone: %v, %v", left, err)
	}
	facts := len(store.facts())
	must(t, p.Restate(t.Context(), "scim:okta/group/"+g.ID))
	if len(store.facts()) != facts {
		t.Error("a repeated job said something anew")
	}
	for _, ref := range []string{"", "scim:okta/user/usr_1", "scim:okta/group", "a/group/b/c/d"} {
		if e, ok := errors.AsType[*lifecycle.JobError](p.Restate(t.Context(), ref)); !ok || !e.Permanent {
			t.Errorf("%q is tried again: %v", ref, e)
		}
	}
}

// restate does the jobs that were left, each twice, and returns how many there were.
func restate(t *testing.T, store *provisions, p *lifecycle.Provisioning) int {
	t.Helper()
	done := map[string]bool{}
	for i := 0; i < len(store.given); i++ {
		for _, j := range store.given[i].Next {
			if j.Kind != lifecycle.JobRestate || done[j.Ref] {
				continue
			}
			done[j.Ref] = true
			must(t, p.Restate(t.Context(), j.Ref))
			must(t, p.Restate(t.Context(), j.Ref))
		}
	}
	return len(done)
}

func wantGroups(t *testing.T, store *provisions, users []string, groups string) {
	t.Helper()
	last := map[string]lifecycle.Fact{}
	for _, f := range store.facts() {
		if prior, ok := last[f.Key]; ok && !f.ObservedAt.After(prior.ObservedAt) {
			t.Fatalf("%s said %s no later than %s", f.Key, f.EventID, prior.EventID)
		}
		last[f.Key] = f
	}
	wrong := slices.IndexFunc(users, func(id string) bool { return strings.Join(last[id].Person.Groups, ",") != groups })
	if wrong >= 0 {
		t.Fatalf("%s was last said to be in %v, want %q", users[wrong], last[users[wrong]].Person.Groups, groups)
	}
}
