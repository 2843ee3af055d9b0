package definition

// The rules of the stages before lint: what cannot be read, what the schema forbids, what is wrong
// with a formula.

func readerRules() []Rule {
	return []Rule{
		{Name: "alias", Level: LevelError, Doc: "Anchors, aliases and merge keys let a small text mean a large one, and hide what a definition says."},
		{Name: "control-character", Level: LevelError, Doc: "Characters that nobody sees can make a text look like another one."},
		{Name: "duplicate-key", Level: LevelError, Doc: "Of a key that stands twice only one would count, and nobody could say which."},
		{Name: "encoding", Level: LevelError, Doc: "Definitions are UTF-8."},
		{Name: "extends", Level: LevelError, Doc: "What a definition extends is there, can be read, and does not extend it in turn."},
		{Name: "file", Level: LevelError, Doc: "A definition is a file of its directory: not a link out of it, not a pipe."},
		{Name: "key-not-text", Level: LevelError, Doc: "Keys are texts."},
		{Name: "many-documents", Level: LevelError, Doc: "A file holds one definition."},
		{Name: "syntax", Level: LevelError, Doc: "The text is neither YAML nor JSON."},
		{Name: "tag", Level: LevelError, Doc: "YAML tags change the type of a value behind the reader's back."},
		{Name: "too-deep", Level: LevelError, Doc: "Nesting is bounded."},
		{Name: "too-large", Level: LevelError, Doc: "Size is bounded: bytes, values, members of a mapping."},
	}
}

func schemaRules() []Rule {
	return []Rule{
		{Name: "combination", Level: LevelError, Doc: "Some keys belong together and some exclude each other."},
		{Name: "empty", Level: LevelError, Doc: "What is there says something."},
		{Name: "enum", Level: LevelError, Doc: "Some values are one of a few words."},
		{Name: "key-of-another-kind", Level: LevelError, Doc: "The kind of a method decides which keys it has; one of another kind would do nothing."},
		{Name: "kind-unknown", Level: LevelError, Doc: "There are only the kinds that the reference lists."},
		{Name: "missing-key", Level: LevelError, Doc: "Without this key the definition cannot work."},
		{Name: "name", Level: LevelError, Doc: "Names that formulas use are made of letters, digits and _."},
		{Name: "pattern", Level: LevelError, Doc: "Some texts have a form: ids, colors, durations, dates, links."},
		{Name: "range", Level: LevelError, Doc: "Some numbers have bounds."},
		{Name: "too-long", Level: LevelError, Doc: "Texts that people see have a length that fits."},
		{Name: "type", Level: LevelError, Doc: "A value is of the type that its key wants."},
		{Name: "unknown-key", Level: LevelError, Doc: "A key that nobody knows would do nothing; most are misspelt."},
	}
}

func formulaRules() []Rule {
	return []Rule{
		{Name: "formula", Level: LevelError, Doc: "A formula is in the expr language and its types fit."},
		{Name: "formula-cost", Level: LevelError, Doc: "A formula ends soon and stays small, whatever it reads."},
		{Name: "pattern-syntax", Level: LevelError, Doc: "Patterns are RE2 expressions, which take time in proportion to the text."},
		{Name: "secret-in-the-open", Level: LevelError, Doc: "A secret goes to the provider and nowhere else: not to the browser, not into captured values, not into an identity."},
		{Name: "unknown-name", Level: LevelError, Doc: "A formula reads only names that exist where it stands."},
	}
}
