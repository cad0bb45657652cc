using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace DistributedBackprop.Server.Grpc;

/// <summary>
/// Lets nobody in who does not know the token, whatever is called; the health of the node alone anybody may ask.
/// </summary>
/// <param name="token">What clients must know.</param>
/// <param name="nodes">What nodes of the cluster know, who pass calls on.</param>
internal sealed class ServiceAccess(AccessToken token, AccessToken nodes) : IMiddleware
{
    private const string Scheme = "Bearer ";
    private const string Health = "/grpc.health.v1.Health/";

    public Task InvokeAsync(HttpContext context, RequestDelegate next) =>
        context.Request.Path.StartsWithSegments(Health.TrimEnd('/'), StringComparison.Ordinal) || IsKnown(context.Request)
            ? next(context)
            : RefuseAsync(context);

    private bool IsKnown(HttpRequest request)
    {
        if (request.Headers.Authorization is not [{ } value] || !value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var given = value[Scheme.Length..];

        // Both are always compared: which of them was nearly right is nobody's business.
        return token.Matches(given) | nodes.Matches(given);
    }

    // The answer is headers alone: nothing of the request is read.
    private static Task RefuseAsync(HttpContext context)
    {
        var words = context.Request.Headers.Authorization.Count == 0
            ? "no token: the call needs the header 'authorization: Bearer TOKEN'"
            : "the token is not the one of this service";
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = ((int)StatusCode.Unauthenticated).ToString(System.Globalization.CultureInfo.InvariantCulture);
        context.Response.Headers["grpc-message"] = Uri.EscapeDataString(words);
        return Task.CompletedTask;
    }
}
