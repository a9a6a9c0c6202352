package scim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	server "github.com/elimity-com/scim"
	scimerrors "github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"

	"rolecall/lifecycle"
)

const (
	mostListed  = 200    // resources on a page
	mostMembers = 10_000 // on a page, unless one group alone has more
	membersRead = 1000   // at a time
	mostSame    = 1000   // users with one address
)

// A visit is one request of a client: what is known of it, and the library's
// handler of its resources.
type visit struct {
	handler *Handler
	route
	source  string
	version int // that If-Match names; 0: none
	sha256  string
	search  search
	show    projection
	without []string                // of the body, what is not kept
	members *lifecycle.MemberChange // that the body says; nil: nothing of them
	failure error                   // why there is no answer: the library knows fewer statuses
}

// fail keeps the error for the answer, and gives the library one that it takes.
func (v *visit) fail(err error) error {
	v.failure = err
	return scimerrors.ScimErrorInternal
}

func (v *visit) order(id string, edit func([]byte) (lifecycle.ResourceDraft, error)) lifecycle.ResourceOrder {
	return lifecycle.ResourceOrder{
		Client: v.source, Kind: v.kind, ID: id, Version: v.version, SHA256: v.sha256, Without: strings.Join(v.without, ", "), Edit: edit,
	}
}

func (v *visit) draft(attributes map[string]any) (lifecycle.ResourceDraft, error) {
	body, err := canonical(attributes)
	if err != nil {
		return lifecycle.ResourceDraft{}, err
	}
	d := lifecycle.ResourceDraft{Body: body}
	if v.members != nil {
		d.Members = *v.members
	}
	return d, nil
}

// Create is a POST.
func (v *visit) Create(r *http.Request, attributes server.ResourceAttributes) (server.Resource, error) {
	made, err := v.handler.config.Provisioning.Create(r.Context(), v.order("", func([]byte) (lifecycle.ResourceDraft, error) {
		if _, said := attributes["active"]; !said && v.kind == lifecycle.ResourceUser {
			attributes["active"] = true
		}
		return v.draft(attributes)
	}))
	return v.answer(r, made, err)
}

// Replace is a PUT. What it leaves out is gone, except active and members.
func (v *visit) Replace(r *http.Request, id string, attributes server.ResourceAttributes) (server.Resource, error) {
	is, err := v.handler.config.Provisioning.Change(r.Context(), v.order(id, func(body []byte) (lifecycle.ResourceDraft, error) {
		was, err := read(body)
		if err != nil {
			return lifecycle.ResourceDraft{}, err
		}
		merged := map[string]any{}
		if active, ok := was["active"]; ok {
			merged["active"] = active
		}
		merge(merged, map[string]any(attributes))
		return v.draft(merged)
	}))
	return v.answer(r, is, err)
}

// Patch is a PATCH. Its operations are all applied, or none. Source: RFC 7644, 3.5.2.
func (v *visit) Patch(r *http.Request, id string, operations []server.PatchOperation) (server.Resource, error) {
	is, err := v.handler.config.Provisioning.Change(r.Context(), v.order(id, func(body []byte) (lifecycle.ResourceDraft, error) {
		attributes, err := read(body)
		if err != nil {
			return lifecycle.ResourceDraft{}, err
		}
		for _, o := range operations {
			if err := v.apply(attributes, o); err != nil {
				return lifecycle.ResourceDraft{}, err
			}
		}
		if err := checkRequired(attributes, v.kind); err != nil {
			return lifecycle.ResourceDraft{}, err
		}
		return v.draft(attributes)
	}))
	if err == nil && v.kind == lifecycle.ResourceGroup {
		return server.Resource{}, nil // 204: Entra ID wants it, and a group may have many members
	}
	return v.answer(r, is, err)
}

// Delete is a DELETE.
func (v *visit) Delete(r *http.Request, id string) error {
	if err := v.handler.config.Provisioning.Delete(r.Context(), v.order(id, nil)); err != nil {
		return v.fail(err)
	}
	return nil
}

// Get is a GET of one.
func (v *visit) Get(r *http.Request, id string) (server.Resource, error) {
	is, err := v.handler.config.Store.Resource(r.Context(), v.source, v.kind, id)
	return v.answer(r, is, v.wrap(id, err))
}

func (v *visit) wrap(id string, err error) error {
	if err == nil {
		return nil
	}
	if errorIsNotFound(err) {
		return lifecycle.Refuse(lifecycle.ErrNotFound, "there is no %s %s; look for it by its name", v.kind, id)
	}
	return fmt.Errorf("load %s %s: %w", v.kind, id, err)
}

// answer returns the resource as the library writes it.
func (v *visit) answer(r *http.Request, is lifecycle.Resource, err error) (server.Resource, error) {
	if err != nil {
		return server.Resource{}, v.fail(err)
	}
	shown, _, err := v.shown(r, is)
	if err != nil {
		return server.Resource{}, v.fail(err)
	}
	return shown, nil
}

// shown returns a resource as it is told, and how many members it has.
func (v *visit) shown(r *http.Request, is lifecycle.Resource) (server.Resource, int, error) {
	attributes, err := read(is.Body)
	if err != nil {
		return server.Resource{}, 0, err
	}
	members := 0
	if v.kind == lifecycle.ResourceGroup && v.show.wants("members") {
		list, err := v.membersOf(r, is.ID)
		if err != nil {
			return server.Resource{}, 0, err
		}
		attributes["members"], members = list, len(list)
	}
	external, _ := attributes["externalId"].(string)
	shown := server.Resource{
		ID: is.ID, Attributes: attributes, Meta: server.Meta{Created: &is.Created, LastModified: &is.Modified, Version: etag(is.Version)},
	}
	if external != "" {
		shown.ExternalID = optional.NewString(external)
	}
	return shown, members, nil
}

func (v *visit) membersOf(r *http.Request, group string) ([]any, error) {
	list := []any{}
	for after := ""; ; {
		page, err := v.handler.config.Store.Members(r.Context(), v.source, group, after, membersRead)
		if err != nil {
			return nil, fmt.Errorf("list the members of %s: %w", group, err)
		}
		for _, id := range page {
			list = append(list, map[string]any{"value": id})
		}
		if len(page) < membersRead {
			return list, nil
		}
		after = page[len(page)-1]
	}
}

// GetAll is a GET of many.
func (v *visit) GetAll(r *http.Request, p server.ListRequestParams) (server.Page, error) {
	page := server.Page{Resources: []server.Resource{}}
	if v.search.nobody {
		return page, nil
	}
	found, total, err := v.find(r, p.StartIndex-1, p.Count)
	if err != nil {
		return page, v.fail(err)
	}
	page.TotalResults = total
	members := 0
	for _, is := range found {
		shown, more, err := v.shown(r, is)
		if err != nil {
			return page, v.fail(err)
		}
		if members += more; members > mostMembers && len(page.Resources) > 0 {
			break // the next page begins with this group
		}
		page.Resources = append(page.Resources, shown)
	}
	return page, nil
}

// find returns a page of what is looked for. The type of an address is not what
// the store looks up, so that is picked from the few who have the address.
func (v *visit) find(r *http.Request, skip, limit int) ([]lifecycle.Resource, int, error) {
	if v.search.emailType == "" {
		found, total, err := v.handler.config.Store.Resources(r.Context(), v.search.ResourceFilter, skip, limit)
		if err != nil {
			return nil, 0, fmt.Errorf("list %ss: %w", v.kind, err)
		}
		return found, total, nil
	}
	candidates, total, err := v.handler.config.Store.Resources(r.Context(), v.search.ResourceFilter, 0, mostSame)
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("list %ss: %w", v.kind, err)
	case total > mostSame:
		return nil, 0, fail("tooMany", "%d users have that address; look for one by userName", total)
	}
	var found []lifecycle.Resource
	for _, is := range candidates {
		attributes, err := read(is.Body)
		if err != nil {
			return nil, 0, err
		}
		if v.search.has(attributes) {
			found = append(found, is)
		}
	}
	from := min(skip, len(found))
	return found[from:min(from+limit, len(found))], len(found), nil
}

// read returns the attributes of a body that is kept.
func read(body []byte) (map[string]any, error) {
	attributes := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&attributes); err != nil {
		return nil, fmt.Errorf("read a resource that is kept: %w", err)
	}
	return attributes, nil
}

// etag returns the entity-tag of a version: weak, as the form of a resource
// depends on what was asked for.
func etag(version int) string { return `W/"` + strconv.Itoa(version) + `"` }

// versionIn returns the version that If-Match names; 0 where it names none, -1
// where it is of no version.
func versionIn(h http.Header) int {
	tag := strings.TrimSpace(h.Get("If-Match"))
	if tag == "" || tag == "*" {
		return 0
	}
	n, err := strconv.Atoi(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`))
	if err != nil || n < 1 {
		return -1
	}
	return n
}
