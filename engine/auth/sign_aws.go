package auth

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/smithy-go/aws-http-auth/credentials"
	"github.com/aws/smithy-go/aws-http-auth/sigv4"
	v4 "github.com/aws/smithy-go/aws-http-auth/v4"

	"dowel/engine/definition"
)

// signAWS signs with AWS Signature Version 4, in the Authorization header.
func (r Request) signAWS(out *http.Request, s *definition.AWSSignature, env definition.Env, o occasion) error {
	c, err := r.contentOf(out)
	if err != nil {
		return err
	}
	parts, err := filledTemplates(withRoot(env, "request", o.signedRequest(out, c)), &s.AccessKey, &s.SecretKey, &s.SessionToken, &s.Region, &s.Service)
	if err != nil {
		return err
	}
	access, key, session, region, service := parts[0], parts[1], parts[2], parts[3], parts[4]
	if access == "" || key == "" || region == "" || service == "" {
		return errors.New("the access key, the secret key, the region or the service is empty")
	}
	if strings.ContainsAny(access+region+service, "/, ") || hasControl(access+region+service+session) {
		return errors.New("the access key, the region or the service contains a character that it cannot have")
	}
	out.Header.Del("X-Amz-Security-Token") // of an earlier signing
	err = sigv4.New(awsOptions(service)).SignRequest(&sigv4.SignRequestInput{
		Request: out, PayloadHash: c.sum[:], Region: region, Service: service, Time: o.at,
		Credentials: credentials.Credentials{AccessKeyID: access, SecretAccessKey: key, SessionToken: session},
	})
	out.Header.Del("Host") // it is the request's own, and stands in no header of ours
	if o.named {
		nameAWS(out.Header)
	}
	return err
}

// awsOptions are what the services differ in: S3 reads the path as it is sent and wants the payload's
// digest in a header (AWS Identity and Access Management User Guide, "Create a signed AWS API request").
func awsOptions(service string) v4.SignerOption {
	return func(o *v4.SignerOptions) {
		o.HeaderRules = awsHeaders{}
		if service == "s3" || strings.HasPrefix(service, "s3-") || service == "s3express" {
			o.DisableDoublePathEscape, o.AddPayloadHashHeader = true, true
		}
	}
}

// awsHeaders are the headers that are signed: those that have to be, and what says how the body is to be
// read. Others may be changed on the way.
type awsHeaders struct{}

// IsSigned implements v4.SignedHeaderRules.
func (awsHeaders) IsSigned(name string) bool {
	return name == "host" || name == "content-type" || name == "content-md5" || strings.HasPrefix(name, "x-amz-")
}

var awsVaries = regexp.MustCompile(`/[0-9]{8}/|Signature=[0-9a-f]+`)

// nameAWS writes names where the moment of signing shows.
func nameAWS(h http.Header) {
	h.Set("X-Amz-Date", "[timestamp]")
	h.Set("Authorization", awsVaries.ReplaceAllStringFunc(h.Get("Authorization"), func(part string) string {
		if strings.HasPrefix(part, "/") {
			return "/[date]/"
		}
		return "Signature=[signature]"
	}))
}
