package storage

import (
	"context"
	"fmt"
	"math"
	"slices"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// provisioned is a resource as its row keeps it. Of one that is gone only what
// it was called by is left.
type provisioned struct {
	lifecycle.Resource
	Gone bool `json:"gone,omitempty"`
}

func resourceRow(p provisioned) (q.Resource, error) {
	body, err := encode(p)
	return q.Resource{
		Client: text(p.Client), Kind: string(p.Kind), ID: text(p.ID), Version: int64(p.Version), Gone: p.Gone, Name: text(p.Name),
		ExternalID: text(p.ExternalID), Created: micros(p.Created), Body: body,
	}, err
}

// emailRows returns the addresses by which a user is found.
func emailRows(r lifecycle.Resource) []q.ResourceEmail {
	var rows []q.ResourceEmail
	for _, email := range r.Emails {
		row := q.ResourceEmail{Client: text(r.Client), Email: text(email), ID: text(r.ID)}
		if row.Email != "" && r.Kind == lifecycle.ResourceUser && !slices.Contains(rows, row) {
			rows = append(rows, row)
		}
	}
	return rows
}

func resourceKey(r q.Resource) string { return r.Client + "/" + r.Kind + "/" + r.ID }

// membership says whether a user is a member of a group.
type membership struct {
	Client string `json:"client"`
	Group  string `json:"group"`
	User   string `json:"user"`
	Gone   bool   `json:"gone,omitempty"`
}

func memberRow(m membership) (q.ResourceMember, error) {
	body, err := encode(m)
	return q.ResourceMember{Client: text(m.Client), GroupID: text(m.Group), UserID: text(m.User), Gone: m.Gone, Body: body}, err
}

func memberKey(r q.ResourceMember) string { return r.Client + "/" + r.GroupID + "/" + r.UserID }

// Resource returns the resource, or lifecycle.ErrNotFound.
func (db *DB) Resource(ctx context.Context, client string, kind lifecycle.ResourceKind, id string) (lifecycle.Resource, error) {
	return load[lifecycle.Resource](db.read.Resource(ctx, q.ResourceParams{Client: text(client), Kind: string(kind), ID: text(id)}))
}

// Resources returns at most limit resources that f selects, in the order in
// which they were created, after the first skip of them, and how many there are.
// An index narrows them by the most telling field, and the rest of f is looked
// at here.
func (db *DB) Resources(ctx context.Context, f lifecycle.ResourceFilter, skip, limit int) ([]lifecycle.Resource, int, error) {
	skip, limit = max(skip, 0), max(limit, 0)
	if f == (lifecycle.ResourceFilter{Client: f.Client, Kind: f.Kind}) {
		return db.resourcePage(ctx, f, skip, limit)
	}
	found, err := loadAll[lifecycle.Resource](db.narrowed(ctx, f))
	if err != nil {
		return nil, 0, fmt.Errorf("list resources of %s: %w", f.Client, err)
	}
	var all []lifecycle.Resource
	for _, r := range found {
		if selectsResource(f, r) {
			all = append(all, r)
		}
	}
	from := min(skip, len(all))
	return all[from:min(from+limit, len(all))], len(all), nil
}

func (db *DB) resourcePage(ctx context.Context, f lifecycle.ResourceFilter, skip, limit int) ([]lifecycle.Resource, int, error) {
	total, err := db.read.CountResources(ctx, q.CountResourcesParams{Client: text(f.Client), Kind: string(f.Kind)})
	if err != nil {
		return nil, 0, fmt.Errorf("count resources of %s: %w", f.Client, err)
	}
	if limit == 0 || int64(skip) >= total {
		return nil, int(total), nil
	}
	page, err := loadAll[lifecycle.Resource](db.read.ResourcesPage(ctx, q.ResourcesPageParams{
		Client: text(f.Client), Kind: string(f.Kind), Skip: int32(min(skip, math.MaxInt32)), Page: int32(min(limit, math.MaxInt32)),
	}))
	if err != nil {
		return nil, 0, fmt.Errorf("list resources of %s: %w", f.Client, err)
	}
	return page, int(total), nil
}

func (db *DB) narrowed(ctx context.Context, f lifecycle.ResourceFilter) ([]string, error) {
	client, kind := text(f.Client), string(f.Kind)
	switch {
	case f.Member != "" && f.Kind != lifecycle.ResourceGroup: // a user has no members
		return nil, nil
	case f.Member != "":
		return db.read.GroupsOfMember(ctx, q.GroupsOfMemberParams{Client: client, UserID: text(f.Member)})
	case f.ID != "":
		return db.read.ResourcesByID(ctx, q.ResourcesByIDParams{Client: client, Kind: kind, ID: text(f.ID)})
	case f.Name != "":
		return db.read.ResourcesByName(ctx, q.ResourcesByNameParams{Client: client, Kind: kind, Name: text(f.Name)})
	case f.ExternalID != "":
		return db.read.ResourcesByExternalID(ctx, q.ResourcesByExternalIDParams{Client: client, Kind: kind, ExternalID: text(f.ExternalID)})
	case f.Kind != lifecycle.ResourceUser: // a group has no address
		return nil, nil
	default:
		return db.read.UsersByEmail(ctx, q.UsersByEmailParams{Client: client, Email: text(f.Email)})
	}
}

func selectsResource(f lifecycle.ResourceFilter, r lifecycle.Resource) bool {
	return (f.ID == "" || r.ID == f.ID) && (f.Name == "" || r.Name == f.Name) &&
		(f.ExternalID == "" || r.ExternalID == f.ExternalID) && (f.Email == "" || slices.Contains(r.Emails, f.Email))
}

// Members returns at most limit ids of users of the group after the one given, in order.
func (db *DB) Members(ctx context.Context, client, group, after string, limit int) ([]string, error) {
	ids, err := db.read.MembersAfter(ctx, q.MembersAfterParams{
		Client: text(client), GroupID: text(group), After: text(after), Page: int32(min(max(limit, 0), math.MaxInt32)),
	})
	if err != nil {
		return nil, fmt.Errorf("list members of group %s: %w", group, err)
	}
	return ids, nil
}
