package definition

func lint(c *Connector, d *document, used map[usedName]bool, level Level) []Finding { return nil }
