package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"rolecall/storage"
)

func backupCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write a whole copy of the SQLite database to FILE, while serve runs",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				if err := db.Backup(ctx, args[0]); err != nil {
					return err // which says that it is about the copy
				}
				return say(t, map[string]string{"file": args[0]}, fmt.Sprintf("Wrote %s. Check it: rolecall audit verify %s", args[0], args[0]))
			})
		},
	}
}

func migrateCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to this version; serve does so by itself",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(needDatabase)
			if err != nil {
				return err
			}
			db, err := openDatabase(cmd.Context(), cfg.Database, storage.Serve, stderrLogger(t), nil)
			if err != nil {
				return err
			}
			if err := errors.Join(db.Migrate(cmd.Context()), db.Close()); err != nil {
				return fmt.Errorf("bring %s up to date: %w", named(cfg.Database), err)
			}
			return say(t, map[string]string{"database": named(cfg.Database)}, named(cfg.Database)+" is up to date.")
		},
	}
}
