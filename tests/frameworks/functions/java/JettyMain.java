// Jetty with the servlet at everything and at /admin/*.
import java.nio.file.Files;
import java.nio.file.Path;
import jakarta.servlet.MultipartConfigElement;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;

public class JettyMain {
    public static void main(String[] arguments) throws Exception {
        Path folder = Files.createTempDirectory("jetty");
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(System.getenv("PORT")));
        server.addConnector(connector);
        ServletContextHandler handler = new ServletContextHandler();
        add(handler, "/", false, folder);
        add(handler, "/admin/*", true, folder);
        server.setHandler(handler);
        server.start();
        server.join();
    }

    private static void add(ServletContextHandler handler, String pattern, boolean secret, Path folder) {
        ServletHolder holder = new ServletHolder(new Report(secret));
        holder.getRegistration().setMultipartConfig(
            new MultipartConfigElement(folder.toString(), 64 << 20, 64 << 20, 64 << 20));
        handler.addServlet(holder, pattern);
    }
}
