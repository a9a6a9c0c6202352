package sandbox

import (
	"net/http"
	"net/url"
)

// image is an image as the page shows it: one that was uploaded to the workspace itself, or of any other what it says
// and where it is. Nothing is loaded from other machines.
type image struct{ Alt, URL, File string }

// slackFile is the file of the workspace that an image shows.
type slackFile struct {
	ID string `json:"id"`
}

func picture(alt, address string, f slackFile) *image {
	out := &image{Alt: alt, URL: address}
	if f.ID != "" {
		out.File = "/files/" + url.PathEscape(f.ID)
	}
	return out
}

// file answers with a picture that was uploaded to the workspace. What is no picture is not shown: the page's own
// address must not serve what somebody else has written.
func (s *sandbox) file(w http.ResponseWriter, r *http.Request) {
	f, ok := s.cfg.Workspace.File(r.PathValue("id"))
	if !ok || http.DetectContentType(f.Body) != "image/png" {
		s.lost(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	s.send(w, r, f.Body)
}
