using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;

namespace WarpProxy.Tests.EndToEnd.Streaming;

/// <summary>
/// A call as gRPC makes it, over HTTP/2: the body of the request is written while that of the answer is read. The headers of an answer come
/// through YARP with its first message, so that a call whose server waits for a message has to begin with one.
/// </summary>
internal sealed class StreamedCall : IDisposable
{
    private readonly HttpRequestMessage _request;
    private readonly Body _body = new();
    private readonly Task<HttpResponseMessage> _response;
    private readonly CancellationToken _cancellation;
    private PipeReader? _answer;

    public StreamedCall(HttpClient client, Uri url, CancellationToken cancellation)
    {
        _cancellation = cancellation;
        _request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = _body,
        };
        _request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        _response = client.SendAsync(_request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    /// <summary>After the last message of the answer.</summary>
    public HttpResponseHeaders Trailers => _response.Result.TrailingHeaders;

    /// <summary>Reads the next message of the answer; null at its end.</summary>
    public async Task<byte[]?> ReadAsync()
    {
        if (_answer is null)
        {
            HttpResponseMessage response = await _response;
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(HttpVersion.Version20, response.Version);
            _answer = PipeReader.Create(await response.Content.ReadAsStreamAsync(_cancellation));
        }

        return await GrpcFrames.ReadAsync(_answer, _cancellation);
    }

    public async Task SendAsync(int number) => await GrpcFrames.WriteAsync(await _body.Opened, NumberedMessage.Create(number));

    /// <summary>Ends the body of the request.</summary>
    public void EndRequest() => _body.End();

    /// <summary>Ends the call; one that is not over is reset.</summary>
    public void Dispose()
    {
        if (_response.IsCompletedSuccessfully)
        {
            _response.Result.Dispose();
        }

        _body.End();
        _request.Dispose();
    }

    private sealed class Body : HttpContent
    {
        private readonly TaskCompletionSource<Stream> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Body() => Headers.ContentType = new MediaTypeHeaderValue("application/grpc");

        public Task<Stream> Opened => _opened.Task;

        public void End() => _ended.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            // The headers go at once: a server that waits for them before it answers would wait for ever.
            await stream.FlushAsync();
            _opened.TrySetResult(stream);
            await _ended.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
