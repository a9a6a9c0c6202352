package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// group makes cmd one that only holds others: alone it shows its help, and a
// word that is none of them is a mistake with a suggestion.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.SuggestionsMinimumDistance = 2
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return coded(exitUsage, fmt.Errorf("there is no command %q%s\nSee `%s --help`", plain(args[0]), meant(cmd.SuggestionsFor(args[0])), cmd.CommandPath()))
	}
	return cmd
}

// usage makes a mistake in the arguments exit with the usage code, and shows
// what is wanted.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if check(cmd, args) == nil {
			return nil
		}
		return coded(exitUsage, fmt.Errorf("these are not the arguments it takes\nUsage: %s", cmd.UseLine()))
	}
}

// flagMistake says what is wrong with a flag, and which may have been meant.
func flagMistake(cmd *cobra.Command, err error) error {
	words, _, _ := strings.Cut(err.Error(), ": strconv.") // which says the same again, to programmers
	hint := ""
	if name, unknown := strings.CutPrefix(words, "unknown flag: --"); unknown {
		hint = meant(flagsLike(cmd, name))
	}
	return coded(exitUsage, fmt.Errorf("%s%s\nSee `%s --help`", plain(words), hint, cmd.CommandPath()))
}

var longFlag = regexp.MustCompile(`--[a-z-]+`)

// flagsLike measures likeness as the library does for commands.
func flagsLike(cmd *cobra.Command, name string) []string {
	flags := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, known := range longFlag.FindAllString(cmd.Flags().FlagUsages(), -1) {
		flags.AddCommand(&cobra.Command{Use: known, Run: func(*cobra.Command, []string) {}})
	}
	return flags.SuggestionsFor("--" + name)
}

func meant(like []string) string {
	if len(like) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(like, " or ") + "?"
}
