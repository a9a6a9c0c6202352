package scim

import (
	"strings"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	"rolecall/lifecycle"
)

// The URNs of RFC 7643, 8.7 and RFC 7644, 8.2.
const (
	urnUser       = schema.UserSchema
	urnGroup      = schema.GroupSchema
	urnEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	urnPatch      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	urnList       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	urnError      = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// How much one resource can be, in characters and entries.
const (
	longestText = 1024
	mostValues  = 50
)

type shape int

const (
	text shape = iota
	flag
	one  // an object
	many // a list of objects
)

// An attribute is one that is kept.
type attribute struct {
	name     string
	shape    shape
	required bool
	about    string
	subs     []attribute
}

// find returns the attribute of that name in whatever case. Source: RFC 7643, 2.1.
func find(table []attribute, name string) (attribute, bool) {
	for _, a := range table {
		if strings.EqualFold(a.name, name) {
			return a, true
		}
	}
	return attribute{}, false
}

// attributesOf returns the attributes of the core schema of a kind.
func attributesOf(k lifecycle.ResourceKind) []attribute {
	external := attribute{name: "externalId", about: "The id at the client; in Entra ID map objectId to it."}
	if k == lifecycle.ResourceGroup {
		return []attribute{
			{name: "displayName", required: true, about: "The name; rules of the policy ask for groups by it."},
			external,
		}
	}
	return []attribute{
		{name: "userName", required: true, about: "Unique for the client."},
		external,
		{name: "name", shape: one, about: "What the person is called.", subs: []attribute{
			{name: "formatted"}, {name: "familyName"}, {name: "givenName"}, {name: "middleName"}, {name: "honorificPrefix"}, {name: "honorificSuffix"},
		}},
		{name: "displayName", about: "What the person is called, before name."},
		{name: "title", about: "The job title."},
		{name: "userType", about: "employee, contractor, intern, vendor or service; anything else means nothing here."},
		{name: "preferredLanguage"},
		{name: "locale"},
		{name: "timezone", about: "An IANA name, in which days begin and end."},
		{name: "active", shape: flag, about: "false suspends; DELETE ends."},
		{name: "emails", shape: many, about: "The primary one, or one of work, is the address that a PagerDuty account is matched by.", subs: []attribute{
			{name: "value"}, {name: "display"}, {name: "type"}, {name: "primary", shape: flag},
		}},
		{name: "addresses", shape: many, about: "Where the person works; no streets.", subs: []attribute{
			{name: "locality"}, {name: "region"}, {name: "country"}, {name: "type"}, {name: "primary", shape: flag},
		}},
	}
}

// enterpriseAttributes returns the attributes of the enterprise extension.
func enterpriseAttributes() []attribute {
	return []attribute{
		{name: "employeeNumber", about: "How the person is known in other sources."},
		{name: "costCenter"},
		{name: "organization"},
		{name: "division"},
		{name: "department"},
		{name: "manager", shape: one, about: "The id of the manager's User, or an employee number.", subs: []attribute{{name: "value"}, {name: "displayName"}}},
	}
}

// membersAttribute is what the schema says of members, which are kept apart.
func membersAttribute() schema.CoreAttribute {
	return schema.ComplexCoreAttribute(schema.ComplexParams{
		Name: "members", MultiValued: true, Description: optional.NewString("The ids of the users in the group."),
		SubAttributes: []schema.SimpleParams{schema.SimpleStringParams(schema.StringParams{Name: "value", CaseExact: true})},
	})
}

// schemaOf returns the core schema of a kind, as it is told at /Schemas.
func schemaOf(k lifecycle.ResourceKind) schema.Schema {
	s := schema.Schema{ID: urnUser, Name: optional.NewString("User"), Description: optional.NewString("User Account"), Attributes: told(attributesOf(k))}
	if k == lifecycle.ResourceGroup {
		s.ID, s.Name, s.Description = urnGroup, optional.NewString("Group"), optional.NewString("Group")
		s.Attributes = append(s.Attributes, membersAttribute())
	}
	return s
}

func enterpriseSchema() schema.Schema {
	return schema.Schema{
		ID: urnEnterprise, Name: optional.NewString("Enterprise User"), Description: optional.NewString("Enterprise User"), Attributes: told(enterpriseAttributes()),
	}
}

// told returns the attributes in the library's words. externalId is common to
// all resources and none of a schema's own; the library adds it.
func told(table []attribute) schema.Attributes {
	var list schema.Attributes
	for _, a := range table {
		switch {
		case a.name == "externalId":
		case a.shape == one || a.shape == many:
			p := schema.ComplexParams{Name: a.name, Description: optional.NewString(a.about), MultiValued: a.shape == many}
			for _, sub := range a.subs {
				p.SubAttributes = append(p.SubAttributes, simple(sub))
			}
			list = append(list, schema.ComplexCoreAttribute(p))
		default:
			list = append(list, schema.SimpleCoreAttribute(simple(a)))
		}
	}
	return list
}

func simple(a attribute) schema.SimpleParams {
	if a.shape == flag {
		return schema.SimpleBooleanParams(schema.BooleanParams{Name: a.name, Description: optional.NewString(a.about)})
	}
	p := schema.StringParams{Name: a.name, Required: a.required, Description: optional.NewString(a.about)}
	if a.required {
		p.Uniqueness = schema.AttributeUniquenessServer()
	}
	return schema.SimpleStringParams(p)
}
