using WarpProxy.Admin;

namespace WarpProxy.Live;

/// <summary><c>GET /live</c>: server-sent events, first the last ten minutes, then each second, until the page is closed, the token of its viewer is replaced, or the proxy ends.</summary>
internal static class LiveStream
{
    /// <summary>Serves one viewer.</summary>
    public static async Task ServeAsync(HttpContext context, LiveSampler sampler)
    {
        LiveFeed feed = sampler.Feed;
        if (!feed.TryEnter())
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "5";
            await context.Response.WriteAsync($"{LiveFeed.MaxViewers} pages are open already, which is as many as are served; close one.\n");
            return;
        }

        try
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(
                context.RequestAborted, feed.Ended, context.Features.Get<OperatorAdmission>()?.Ended ?? CancellationToken.None);
            await ServeAsync(context.Response, sampler, end.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // The page was closed, its token counts no more, or the proxy ends.
        }
        finally
        {
            feed.Leave();
        }
    }

    private static async Task ServeAsync(HttpResponse response, LiveSampler sampler, CancellationToken end)
    {
        response.ContentType = "text/event-stream";

        // Asked for before what there is, so that no second is missed in between.
        Task<byte[]> next = sampler.Feed.Next;
        (byte[] history, byte[] now) = sampler.ReadAll();
        await response.Body.WriteAsync("retry: 1000\n\n"u8.ToArray(), end);
        await response.Body.WriteAsync(history, end);
        await response.Body.WriteAsync(now, end);
        await response.Body.FlushAsync(end);
        while (true)
        {
            byte[] message = await next.WaitAsync(end);
            next = sampler.Feed.Next;
            await response.Body.WriteAsync(message, end);
            await response.Body.FlushAsync(end);
        }
    }
}
