package scim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

// Route is the path under which a Handler answers.
const Route = "/scim/v2/"

// A route is what a request is about.
type route struct {
	name string // the path with {id} for an id, out of a closed set: for the trail
	path string // as the library wants it
	kind lifecycle.ResourceKind
	id   string
}

// routeOf returns what the request asks for. It takes the names in any case, and
// slashes too many. What is not there is a 404, another method than is answered a
// 405, and what RFC 7644 makes optional and is not offered a 501.
func routeOf(r *http.Request) (route, error) {
	parts := strings.FieldsFunc(r.URL.Path, func(c rune) bool { return c == '/' })
	if len(parts) < 3 || len(parts) > 4 || !strings.EqualFold(parts[0], "scim") || !strings.EqualFold(parts[1], "v2") {
		return route{name: "other"}, nothingHere()
	}
	name, id := strings.ToLower(parts[2]), ""
	if len(parts) == 4 {
		id = parts[3]
	}
	switch name {
	case "users":
		return resources(r, "Users", lifecycle.ResourceUser, id)
	case "groups":
		return resources(r, "Groups", lifecycle.ResourceGroup, id)
	case "schemas":
		return discovery(r, "Schemas", id)
	case "resourcetypes":
		return discovery(r, "ResourceTypes", id)
	case "serviceproviderconfig":
		if id == "" {
			return discovery(r, "ServiceProviderConfig", "")
		}
	case "me", "bulk", ".search":
		return route{name: Route + name}, failStatus(http.StatusNotImplemented, "%s is not offered; see %sServiceProviderConfig", parts[2], Route)
	}
	return route{name: "other"}, nothingHere()
}

func nothingHere() error {
	return failStatus(http.StatusNotFound, "there is nothing here; ask for %sUsers, Groups, Schemas, ResourceTypes or ServiceProviderConfig", Route)
}

func discovery(r *http.Request, name, id string) (route, error) {
	at := route{name: Route + name, path: "/v2/" + name}
	if id != "" {
		at.path += "/" + id
	}
	if r.Method != http.MethodGet {
		return at, notAllowed("GET")
	}
	return at, nil
}

func resources(r *http.Request, name string, kind lifecycle.ResourceKind, id string) (route, error) {
	at := route{name: Route + name, path: "/v2/" + name, kind: kind, id: id}
	allow := []string{"GET", "POST"}
	if id == ".search" {
		return at, failStatus(http.StatusNotImplemented, ".search is not offered; ask with GET and a filter")
	}
	if id != "" {
		at.name, at.path, allow = at.name+"/{id}", at.path+"/"+url.PathEscape(id), []string{"GET", "PUT", "PATCH", "DELETE"}
	}
	if !slices.Contains(allow, r.Method) {
		return at, notAllowed(strings.Join(allow, ", "))
	}
	return at, nil
}
