import java.net.HttpURLConnection;
import java.net.URL;

/** Asks for args[0] every 500 ms, each time on a new connection, until it is stopped. */
public class Asks {
  public static void main(String[] args) throws Exception {
    while (true) {
      try {
        HttpURLConnection connection = (HttpURLConnection) new URL(args[0]).openConnection();
        connection.setRequestProperty("Connection", "close");
        connection.getInputStream().readAllBytes();
      } catch (java.io.IOException failed) {
        // What it met is seen at the servers.
      }
      Thread.sleep(500);
    }
  }
}
