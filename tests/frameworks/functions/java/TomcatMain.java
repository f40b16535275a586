// Tomcat with the servlet at everything and at /admin/*.
import jakarta.servlet.MultipartConfigElement;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.catalina.Context;
import org.apache.catalina.Wrapper;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;

public class TomcatMain {
    public static void main(String[] arguments) throws Exception {
        Path folder = Files.createTempDirectory("tomcat");
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(folder.toString());
        Connector connector = new Connector();
        connector.setProperty("address", "127.0.0.1");
        connector.setPort(Integer.parseInt(System.getenv("PORT")));
        tomcat.setConnector(connector);
        Context context = tomcat.addContext("", folder.toString());
        add(context, "everything", "/", false, folder);
        add(context, "admin", "/admin/*", true, folder);
        tomcat.start();
        tomcat.getServer().await();
    }

    private static void add(Context context, String name, String pattern, boolean secret, Path folder) {
        Wrapper wrapper = Tomcat.addServlet(context, name, new Report(secret));
        wrapper.setMultipartConfigElement(new MultipartConfigElement(folder.toString(), 64 << 20, 64 << 20, 64 << 20));
        context.addServletMappingDecoded(pattern, name);
    }
}
