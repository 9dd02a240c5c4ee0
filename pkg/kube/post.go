package kube

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// poster creates objects by the thousand and wants to know of each whether it was done. client-go's request does a good deal more for each (templates of
// its address for metrics, records of tries, a reading of the answer that nobody asks for); a tenth of what a bind costs Sluice is that. The poster hands
// the request to the same http.Client, with all that client-go puts around it, and shows client-go only the answers that are not a success.
//
//	request ──> http.Client ──┬── 2xx ──> done
//	                          ├── no answer ──> its error
//	                          └── else ──> replayed to client-go, which makes the error of it
type poster struct {
	http    *http.Client
	base    url.URL
	agent   string
	encoder runtime.Encoder
	limiter flowcontrol.RateLimiter // nil: no limit
	// judge is a client to which every answer is the one in the request's context.
	judge rest.Interface
}

// newPoster makes a poster to the API group of the client. judge must be of the same group and be made with replayClient.
func newPoster(client, judge rest.Interface, http *http.Client, agent string) (*poster, error) {
	info, ok := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), protobuf)
	if !ok {
		return nil, fmt.Errorf("client-go does not speak %s", protobuf)
	}
	return &poster{
		http: http, base: *client.Post().URL(), agent: agent,
		encoder: scheme.Codecs.EncoderForVersion(info.Serializer, client.APIVersion()),
		limiter: client.GetRateLimiter(), judge: judge,
	}, nil
}

// to names what is posted to: a resource of a namespace, or a subresource of one object.
type to struct{ namespace, resource, name, subresource string }

func (t to) path() string {
	path := "/namespaces/" + t.namespace + "/" + t.resource
	if t.name != "" {
		path += "/" + t.name + "/" + t.subresource
	}
	return path
}

// post creates the object and returns the error that client-go would return. It is tried once.
func (p *poster) post(ctx context.Context, at to, object runtime.Object) error {
	body, err := runtime.Encode(p.encoder, object)
	if err != nil {
		return fmt.Errorf("encode a %T: %w", object, err)
	}
	if p.limiter != nil {
		if err := p.limiter.Wait(ctx); err != nil {
			return fmt.Errorf("wait for the limit of requests: %w", err)
		}
	}
	resp, err := p.http.Do(p.request(ctx, at, body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < http.StatusOK || resp.StatusCode >= http.StatusMultipleChoices {
		return p.fault(ctx, at, resp)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func (p *poster) request(ctx context.Context, at to, body []byte) *http.Request {
	address := p.base
	address.Path += at.path()
	request := &http.Request{
		Method: http.MethodPost, URL: &address, Host: address.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {protobuf}, "Accept": {protobuf + ",application/json"}, "User-Agent": {p.agent}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
	}
	// With it the transport can send the request again on another connection if it is certain that the server has not seen it.
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return request.WithContext(ctx)
}

// fault has client-go make the error of an answer.
func (p *poster) fault(ctx context.Context, at to, resp *http.Response) error {
	r := p.judge.Post().MaxRetries(0).Namespace(at.namespace).Resource(at.resource)
	if at.name != "" {
		r = r.Name(at.name).SubResource(at.subresource)
	}
	err := r.Do(context.WithValue(ctx, answerKey{}, resp)).Error()
	if err == nil {
		return fmt.Errorf("unexpected answer: %s", resp.Status)
	}
	return err
}

type answerKey struct{}

// replay is a transport that answers with what is in the request's context.
type replay struct{}

// RoundTrip returns the answer.
func (replay) RoundTrip(r *http.Request) (*http.Response, error) {
	return r.Context().Value(answerKey{}).(*http.Response), nil
}

func replayClient() *http.Client {
	return &http.Client{Transport: replay{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
