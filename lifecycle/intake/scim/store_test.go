package scim

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"rolecall/lifecycle"
)

// store is a lifecycle.ResourceStore in memory, and the Recorder of an inbox. It
// holds a caller to what the port says, and can be out of order.
type store struct {
	mu     sync.Mutex
	broken error
	byID   map[string]*lifecycle.Resource // client/kind/id
	byName map[string]string              // client/kind/name → id

	order   []*lifecycle.Resource
	members map[string][]string // client/group → ids of users, sorted
	facts   []lifecycle.Fact
	trail   []lifecycle.AuditEvent
	jobs    []lifecycle.Job
	largest int // resources and moves in one transaction
	before  func(p lifecycle.Provision)
}

func newStore() *store {
	return &store{byID: map[string]*lifecycle.Resource{}, byName: map[string]string{}, members: map[string][]string{}}
}

func at(client string, kind lifecycle.ResourceKind, rest string) string {
	return client + "/" + string(kind) + "/" + rest
}

func (s *store) Record(_ context.Context, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trail, s.jobs = append(s.trail, e), append(s.jobs, next...)
	return s.broken
}

func (s *store) SaveFact(context.Context, lifecycle.Fact, lifecycle.AuditEvent, ...lifecycle.Job) (lifecycle.NoticeID, bool, error) {
	return "", false, s.broken
}

func (s *store) SaveFinding(context.Context, lifecycle.Finding, lifecycle.AuditEvent, ...lifecycle.Job) (bool, error) {
	return false, s.broken
}

func (s *store) BaselineByEmail(context.Context, string) ([]lifecycle.Account, error) {
	return nil, s.broken
}

func (s *store) IdentitiesByEmail(context.Context, string) ([]lifecycle.Identity, error) {
	return nil, s.broken
}

func (s *store) Resource(_ context.Context, client string, kind lifecycle.ResourceKind, id string) (lifecycle.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.byID[at(client, kind, id)]; ok {
		return *r, s.broken
	}
	return lifecycle.Resource{}, cmp.Or(s.broken, lifecycle.ErrNotFound)
}

func (s *store) Resources(_ context.Context, f lifecycle.ResourceFilter, skip, limit int) ([]lifecycle.Resource, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var page []lifecycle.Resource
	total := 0
	for _, r := range s.among(f) {
		if !s.selects(f, r) {
			continue
		}
		if total++; total > skip && len(page) < limit {
			page = append(page, *r)
		}
	}
	return page, total, s.broken
}

// among returns those that may be selected, by an index where there is one.
func (s *store) among(f lifecycle.ResourceFilter) []*lifecycle.Resource {
	id := f.ID
	if f.Name != "" {
		id = s.byName[at(f.Client, f.Kind, f.Name)]
	}
	switch r, ok := s.byID[at(f.Client, f.Kind, id)]; {
	case f.ID == "" && f.Name == "":
		return s.order
	case ok:
		return []*lifecycle.Resource{r}
	default:
		return nil
	}
}

func (s *store) selects(f lifecycle.ResourceFilter, r *lifecycle.Resource) bool {
	if f.Member != "" {
		if _, in := slices.BinarySearch(s.members[r.Client+"/"+r.ID], f.Member); !in {
			return false
		}
	}
	return r.Client == f.Client && r.Kind == f.Kind && (f.ID == "" || f.ID == r.ID) && (f.Name == "" || f.Name == r.Name) &&
		(f.ExternalID == "" || f.ExternalID == r.ExternalID) && (f.Email == "" || slices.Contains(r.Emails, f.Email))
}

func (s *store) Members(_ context.Context, client, group, after string, limit int) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.members[client+"/"+group]
	i, found := slices.BinarySearch(all, after)
	if found {
		i++
	}
	return slices.Clone(all[i:min(i+limit, len(all))]), s.broken
}

func (s *store) Provision(ctx context.Context, p lifecycle.Provision) error {
	if s.before != nil {
		s.before(p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := cmp.Or(s.broken, ctx.Err(), s.refuses(p)); err != nil {
		return err
	}
	for _, r := range p.Put {
		s.put(r)
	}
	for _, r := range p.Delete {
		s.remove(r)
	}
	for group, users := range p.Join {
		s.moved(p.Client, group, users, true)
	}
	for group, users := range p.Leave {
		s.moved(p.Client, group, users, false)
	}
	s.measure(p)
	s.facts, s.jobs = append(s.facts, p.Facts...), append(s.jobs, p.Next...)
	s.trail = append(append(s.trail, p.Summary), p.Lines...)
	return nil
}

func (s *store) measure(p lifecycle.Provision) {
	size := len(p.Put)
	for _, users := range p.Join {
		size += len(users)
	}
	for _, users := range p.Leave {
		size += len(users)
	}
	s.largest = max(s.largest, size)
}

func (s *store) refuses(p lifecycle.Provision) error {
	added := map[string]bool{}
	for _, r := range p.Put {
		was, ok := s.byID[at(r.Client, r.Kind, r.ID)]
		if ok && r.Version != was.Version+1 || !ok && r.Version != 1 {
			return lifecycle.ErrConflict
		}
		if id, taken := s.byName[at(r.Client, r.Kind, r.Name)]; taken && id != r.ID {
			return lifecycle.ErrDuplicate
		}
		added[r.ID] = true
	}
	for _, r := range p.Delete {
		if was, ok := s.byID[at(r.Client, r.Kind, r.ID)]; !ok || was.Version != r.Version {
			return lifecycle.ErrConflict
		}
	}
	for _, users := range p.Join {
		for _, u := range users {
			if _, ok := s.byID[at(p.Client, lifecycle.ResourceUser, u)]; !ok && !added[u] {
				return lifecycle.ErrNotFound
			}
		}
	}
	return nil
}

func (s *store) put(r lifecycle.Resource) {
	key := at(r.Client, r.Kind, r.ID)
	if was, ok := s.byID[key]; ok {
		delete(s.byName, at(r.Client, r.Kind, was.Name))
		*was = r
	} else {
		s.byID[key] = &r
		s.order = append(s.order, &r)
	}
	s.byName[at(r.Client, r.Kind, r.Name)] = r.ID
}

func (s *store) remove(r lifecycle.Resource) {
	delete(s.byID, at(r.Client, r.Kind, r.ID))
	delete(s.byName, at(r.Client, r.Kind, r.Name))
	s.order = slices.DeleteFunc(s.order, func(o *lifecycle.Resource) bool { return o.Client == r.Client && o.ID == r.ID })
	if r.Kind == lifecycle.ResourceUser {
		for key, users := range s.members {
			if i, in := slices.BinarySearch(users, r.ID); in {
				s.members[key] = slices.Delete(users, i, i+1)
			}
		}
	}
}

func (s *store) moved(client, group string, users []string, join bool) {
	key := client + "/" + group
	for _, u := range users {
		i, in := slices.BinarySearch(s.members[key], u)
		switch {
		case join && !in:
			s.members[key] = slices.Insert(s.members[key], i, u)
		case !join && in:
			s.members[key] = slices.Delete(s.members[key], i, i+1)
		}
	}
}

// snapshot returns everything that is kept, to compare.
func (s *store) snapshot() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]any{}
	for key, r := range s.byID {
		all[key] = *r
	}
	for key, users := range s.members {
		if len(users) > 0 {
			all["members of "+key] = slices.Clone(users)
		}
	}
	return maps.Clone(all)
}
