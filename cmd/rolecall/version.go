package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			v := version()
			if t.json {
				return printJSON(t.out, map[string]string{"version": v.number, "revision": v.revision, "go": v.toolchain})
			}
			fmt.Fprintf(t.out, "rolecall %s (%s, %s)\n", v.number, v.revision, v.toolchain)
			return nil
		},
	}
}

type build struct{ number, revision, toolchain string }

// version tells what the Go toolchain stamped into the binary.
func version() build {
	b := build{number: "devel", revision: "unknown revision"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.toolchain = info.GoVersion
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		b.number = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.revision = s.Value[:min(12, len(s.Value))]
		}
	}
	return b
}
