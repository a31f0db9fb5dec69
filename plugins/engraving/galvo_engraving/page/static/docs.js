// Swagger UI on the application's own description; nothing is asked of anybody else.

window.SwaggerUIBundle({ url: "openapi.json", dom_id: "#swagger-ui", validatorUrl: null, deepLinking: true, docExpansion: "list" });
