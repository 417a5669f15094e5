using System.Net;

namespace WarpProxy.LoadTest.Http;

/// <summary>A body of a given length, held nowhere.</summary>
internal sealed class FillingContent(long length) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        for (long sent = 0; sent < length;)
        {
            ReadOnlyMemory<byte> next = RequestShape.BodyFrom(sent, length - sent);
            await stream.WriteAsync(next, cancellationToken).ConfigureAwait(false);
            sent += next.Length;
        }
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length;
        return true;
    }
}
