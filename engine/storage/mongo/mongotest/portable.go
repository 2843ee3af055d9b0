package mongotest

import (
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// checkPortable refuses what MongoDB-compatible servers do not do alike, so
// that a store that passes here does not depend on one of them.
func checkPortable(c command) error {
	if autocommit, ok := c.get("autocommit").(bool); ok && !autocommit {
		return refuse(codeIllegalOperation, "transactions are not to be used")
	}
	for _, option := range []string{"collation", "validator", "let", "tailable", "min", "max", "capped", "timeseries", "viewOn"} {
		if asTruth(c.get(option)) || len(asDocument(c.get(option))) > 0 {
			return refuse(codeNotImplemented, "option %q", option)
		}
	}
	for _, filter := range []string{"filter", "query"} {
		if err := checkFilter(c.get(filter)); err != nil {
			return err
		}
	}
	for _, statements := range []string{"updates", "deletes"} {
		for _, statement := range asArray(c.get(statements)) {
			if field(asDocument(statement), "collation") != nil {
				return refuse(codeNotImplemented, "option %q", "collation")
			}
			if err := checkFilter(field(asDocument(statement), "q")); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkFilter walks a filter and refuses operators that are not on the list.
// Without it an unknown operator would only show when a document is compared.
func checkFilter(value any) error {
	switch value := value.(type) {
	case bson.D:
		for _, element := range value {
			if strings.HasPrefix(element.Key, "$") && !isPortableFilter(element.Key) {
				return refuse(codeBadValue, "unknown operator: %s", element.Key)
			}
			if err := checkFilter(element.Value); err != nil {
				return err
			}
		}
	case bson.A:
		for _, element := range value {
			if err := checkFilter(element); err != nil {
				return err
			}
		}
	case primitive.Regex:
		return refuse(codeNotImplemented, "regular expressions are not to be used")
	}
	return nil
}

func isPortableFilter(operator string) bool {
	switch operator {
	case "$and", "$or", "$nor", "$not", "$eq", "$ne", "$gt", "$gte", "$lt", "$lte",
		"$in", "$nin", "$exists", "$all", "$size", "$elemMatch", "$type", "$mod":
		return true
	}
	return false
}

// checkUpdate refuses update operators that are not on the list.
func checkUpdate(update bson.D) error {
	for _, element := range update {
		switch element.Key {
		case "$set", "$setOnInsert", "$unset", "$inc", "$mul", "$min", "$max", "$rename",
			"$push", "$pull", "$pullAll", "$pop", "$addToSet", "$currentDate":
		default:
			return refuse(9, "unknown modifier: %s", element.Key)
		}
	}
	return nil
}
